# Settings: SCIM.

scim-title = SCIM
brake-off = Off
brake-lifted = Lifted
brake-holds = Holds
brake-ready = Ready
done-token-enabled = The token was enabled.
done-token-disabled = The token was disabled.
done-token-deleted = The token was deleted.
done-brake-lifted = The brake is lifted. The directory's next attempts pass.
done-brake-back = The brake is back.
done-settings-saved = The settings were saved.
done-schema-registered = The schema was registered. Its values come with the next push.
done-schema-removed = The schema was removed, with every value of it.
deletion-gone = Gone
