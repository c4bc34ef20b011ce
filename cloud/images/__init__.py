"""Images: their records, their bytes, who may use them."""
