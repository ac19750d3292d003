"""What becomes of drafts: checked, split, resolved, sealed, published; or held in quarantine."""
