"""Facts of telephony: numbers and SMS, for the client and the fake alike."""
