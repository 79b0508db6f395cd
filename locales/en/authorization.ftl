# Multi-account authorisation and role syncs.

authorization-title = Multi-account authorisation
