# Groups.

groups-title = Groups
done-group-changed = The group was changed.
done-group-deleted = The group was deleted.
done-group-adopted = The group was handed over to SCIM.
done-group-created = The group was created.
