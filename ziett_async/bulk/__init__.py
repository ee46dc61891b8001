"""Many messages: what is checked, counted and prepared before they are sent."""
