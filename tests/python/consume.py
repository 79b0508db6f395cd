"""Takes our responses as others would: pysaml2 as a service provider, xmlsec1 for each signature.

    python consume.py METADATA_FILE

METADATA_FILE holds our metadata as an identity provider. Standard input brings one JSON object a
line: the response in base64, the audience and the address it is for. For each, standard output has
a line with what pysaml2 made of it. Whatever is refused ends the program with a traceback.
"""

import base64
import json
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

from saml2 import BINDING_HTTP_POST
from saml2.client import Saml2Client
from saml2.config import Config

METADATA = sys.argv[1]
MD = "{urn:oasis:names:tc:SAML:2.0:metadata}"
DS = "{http://www.w3.org/2000/09/xmldsig#}"


def certificate():
    """The first signing certificate of our metadata, as PEM."""
    found = ElementTree.parse(METADATA).getroot().find(f".//{MD}KeyDescriptor//{DS}X509Certificate")
    lines = "".join(found.text.split())
    wrapped = "\n".join(lines[at : at + 64] for at in range(0, len(lines), 64))
    return f"-----BEGIN CERTIFICATE-----\n{wrapped}\n-----END CERTIFICATE-----\n"


def verify_with_xmlsec1(message, pem):
    """Both signatures, each by the command; exactly two are there."""
    with tempfile.NamedTemporaryFile(suffix=".xml") as file:
        file.write(message)
        file.flush()
        assert message.count(b"<ds:Signature ") == 2, message
        for path in ("Response", "Response']/*[local-name()='Assertion"):
            command = [
                "xmlsec1", "--verify", "--pubkey-cert-pem", pem,
                "--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:protocol:Response",
                "--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:assertion:Assertion",
                "--node-xpath", f"/*[local-name()='{path}']/*[local-name()='Signature']",
                file.name,
            ]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr


def consume(message, audience, acs_url):
    settings = {
        "entityid": audience,
        "metadata": {"local": [METADATA]},
        "allow_unknown_attributes": True,
        "service": {
            "sp": {
                "endpoints": {"assertion_consumer_service": [(acs_url, BINDING_HTTP_POST)]},
                "allow_unsolicited": True,
                "want_response_signed": True,
                "want_assertions_signed": True,
            }
        },
    }
    config = Config()
    config.load(settings)
    response = Saml2Client(config).parse_authn_request_response(message, BINDING_HTTP_POST)
    return {
        "name_id": response.get_subject().text,
        "issuer": response.issuer(),
        "attributes": response.ava,
        "session_ends": response.session_not_on_or_after,
    }


with tempfile.NamedTemporaryFile("w", suffix=".pem") as pem:
    pem.write(certificate())
    pem.flush()
    for line in sys.stdin:
        given = json.loads(line)
        message = base64.b64decode(given["response"])
        verify_with_xmlsec1(message, pem.name)
        print(json.dumps(consume(given["response"], given["audience"], given["acs_url"])))
