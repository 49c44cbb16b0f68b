"""The auditors' pages: rendered here, mounted beside the JSON interface, and secured by it."""
