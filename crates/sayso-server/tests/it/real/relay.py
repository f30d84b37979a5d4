"""A mail relay: aiosmtpd, with a log-in, and mailboxes that are not there or not there yet.

Says {"port": …} once it listens; then, for each email, what Python's own library reads in it. It ends with
its standard input.
"""

import asyncio
import json
import sys
from email import message_from_bytes, policy

from aiosmtpd.smtp import SMTP, AuthResult

USER, PASSWORD = b"sayso@shop.example", b"correct-horse-battery"
later = set()


class Mailboxes:
    async def handle_RCPT(self, server, session, envelope, address, options):
        name = address.split("@")[0]
        if name == "nobody":
            return "550 5.1.1 <nobody@example.org>: Recipient address rejected"
        if name == "later" and address not in later:
            later.add(address)
            return "451 4.7.1 Greylisted, try again"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = message_from_bytes(envelope.content, policy=policy.default)
        told = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "headers": [[name, str(value)] for name, value in mail.items()],
            "defects": [str(defect) for defect in mail.defects],
            "text": mail.get_content(),
        }
        print(json.dumps(told), flush=True)
        return "250 2.0.0 Taken"


def authenticate(server, session, envelope, mechanism, data):
    is_known = data.login == USER and data.password == PASSWORD
    return AuthResult(success=is_known, handled=False)


async def main():
    loop = asyncio.get_running_loop()
    make = lambda: SMTP(
        Mailboxes(),
        hostname="relay.example",
        authenticator=authenticate,
        auth_required=True,
        auth_require_tls=False,
        loop=loop,
    )
    server = await loop.create_server(make, "127.0.0.1", 0)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main())
