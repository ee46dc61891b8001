"""A rate limit that many processes share: all but the store in which the tokens are."""
