# Settings: single sign-on.

sso-title = Single sign-on
done-switched-on = Switched on.
done-switched-off = Switched off.
done-test-made = The test is ready. It affects nobody.
done-provider-saved = The identity provider was saved.
done-provider-cleared = The identity provider was cleared.
done-source-same = What is published is what is configured.
done-source-looked = The address was looked at.
done-source-kept = The address was kept. It is looked at within two minutes.
done-source-failed = The address was looked at. Why what came does not count stands below.
done-source-removed = Nothing is fetched any more. What is configured stays.
done-proposal-discarded = The proposal was thrown away. Nothing has changed.
done-key-added = The key was made and is in the metadata. Give that to your identity provider.
done-key-removed = The key was removed. What is encrypted for it is refused from now on.
done-key-prepared = The key was made and is in the metadata. It signs nothing yet.
done-key-switched = The key is in use. The other one stays in the metadata until it is removed.
done-key-retired = The key was removed.
done-certificate-added = The certificate was added.
done-certificate-removed = The certificate was removed.
attempt-signed-in = Signed in
attempt-accepted = Accepted, not finished
attempt-refused = Refused
