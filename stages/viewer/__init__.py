"""A viewer of finished results in the browser; it changes none of them."""
