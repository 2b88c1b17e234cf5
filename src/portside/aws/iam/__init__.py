"""IAM: the handlers by noun, and the model that their requests are checked against."""
