# Users.

users-title = Users
done-user-created = The user was created.
done-user-enabled = The user was enabled.
done-user-disabled = The user was disabled. Their portal sessions have ended.
done-user-changed = The user was changed.
done-user-deleted = The user was deleted.
done-user-adopted = The user was handed over to SCIM.
