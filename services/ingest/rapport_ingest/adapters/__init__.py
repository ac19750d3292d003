"""How publishers speak, one module per dialect: a parsed request in, drafts and rejections out."""
