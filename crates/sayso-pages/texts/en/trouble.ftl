# What went wrong, and what to do next.
trouble-not-found-title = This link leads nowhere
trouble-not-found = Part of it may be missing. Open it again from the message or the page where you found it, and copy the whole of it. Nothing was changed.
trouble-closed-title = This is closed
trouble-closed = What was here is no longer offered. What you chose before still counts. To change it, use the link in any message that you received, or answer STOP.
trouble-too-many-title = Please wait a moment
trouble-too-many = Too much was sent from your network in a short time. Wait a minute and try again. If you want no more messages, answer STOP to any of them: that always works.
trouble-unavailable-title = Please try again
trouble-unavailable = We could not save anything just now, so nothing was changed. Wait a minute and try again.
