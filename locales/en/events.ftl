# Settings: events.

events-title = Events
done-endpoint-changed = The endpoint was changed.
done-endpoint-enabled = The endpoint was enabled. What it missed can be replayed.
done-endpoint-disabled = The endpoint was disabled. Nothing is sent to it.
done-endpoint-deleted = The endpoint was deleted.
done-test-sent = A test is on its way.
done-replayed = The events are sent once more.
done-redelivered = The event is sent once more.
events-about = Other systems can follow this directory: each change of a user, a group or a membership is sent to them as it happens, signed.
events-endpoints = Endpoints
events-at-most = At most { $count }
events-none = No endpoint yet: nobody is told.
events-url = URL
events-url-hint = Begins with https:// and is reached from this server. Each event is a POST.
events-add-heading = Add an endpoint
events-add = Add endpoint
events-endpoint = Endpoint
events-send-test = Send a test
events-new-secret = New secret…
events-replace-title = Replace the secret?
events-replace-about = The new secret signs from now on. What the receiver refuses until it knows the new one is sent again later.
events-delete-title = Delete the endpoint { $url }?
events-delete-about = Nothing more is sent there, and what waits is dropped.
events-disabled-because = It was disabled: { $reason }.
events-the-url = the URL
events-content = Content
events-content-values = Values
events-content-names = Names of what changed
events-full-content = Send values, and not only the names of what changed
events-secret = The secret
events-secret-about = Receivers verify with it that an event comes from here: the tokens are signed with HS256, and the key is the bytes of this text. Copy it now: it is shown this once and can never be read again.
events-copy-secret = Copy the secret
events-secret-number = Number { $number } (the <code>kid</code> of the tokens)
events-failures = Failures in a row
events-failures-next = { $count }; tried again at
events-no-deliveries = No deliveries here.
events-event = Event
events-subject = About
events-happened = Happened
events-send-again = Send again
events-replay = Replay
events-replay-about = Everything that happened since a time is sent once more, the oldest first. Receivers know what they have by its <code>jti</code>.
events-since = Since (UTC)
events-since-hint = As in 2026-11-22 08:00:00
events-no-time = This is not a time.
events-nothing-sent = Nothing was sent: one field is wrong.
events-attempts = { $count ->
    [one] { $count } attempt
   *[other] { $count } attempts
}
