"""RFC 7396: how a JSON merge patch changes a document."""


def merge_patch(target: object, patch: object) -> object:
    """The document after the patch; neither argument is changed.

    Source: RFC 7396, section 2. A null in the patch removes the member.
    """
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged
