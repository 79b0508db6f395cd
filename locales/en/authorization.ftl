# Multi-account authorisation and role syncs.

authorization-title = Multi-account authorisation
done-assignments-begun = The role sync has begun: one task per assignment.
done-assignment-removed = The permission was removed.
