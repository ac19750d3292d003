"""Everything that is made from the event classes: wire structs, schemas, AsyncAPI, a page."""
