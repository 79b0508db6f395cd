"""The responses of spid-sp-test, the suite of the Italian SPID, sent to our service provider.

    python spid.py metadata             prints the metadata of the suite's identity provider
    python spid.py run START_URL        sends every response; prints one JSON object a line

Each line of the second has the `test`, its `description`, whether SPID wants it `accepted`, and the
`status` of what the browser saw in the end. The suite's responses answer requests of SPID; ours are
plain, so what the suite takes from them is taken from ours here.
"""

import base64
import datetime
import json
import logging
import sys
import urllib.parse
import zlib
import xml.etree.ElementTree as ElementTree

import requests
from spid_sp_test.idp.settings import SAML2_IDP_CONFIG
from spid_sp_test.responses import settings
from spid_sp_test.response import SpidSpResponseCheck, saml_rnd_id

SAML = "{urn:oasis:names:tc:SAML:2.0:assertion}"
SSO = "https://localhost:8443/sso"


def metadata():
    with open(SAML2_IDP_CONFIG["cert_file"], encoding="ascii") as file:
        lines = [line.strip() for line in file if "CERTIFICATE" not in line]
    return (
        '<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" '
        f'entityID="{SAML2_IDP_CONFIG["entityid"]}"><md:IDPSSODescriptor '
        'protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:KeyDescriptor '
        'use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>'
        f'<ds:X509Certificate>{"".join(lines)}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>'
        "</md:KeyDescriptor><md:SingleSignOnService "
        'Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" '
        f'Location="{SSO}"/></md:IDPSSODescriptor></md:EntityDescriptor>'
    )


def stamp(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


class Check(SpidSpResponseCheck):
    """Each response in a browser of its own, to a request of its own."""

    def do_authnrequest(self):
        self.requests_session = requests.Session()
        begun = self.requests_session.get(self.authn_request_url, allow_redirects=False, timeout=30)
        assert begun.status_code == 303, begun.text
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(begun.headers["Location"]).query)
        request = zlib.decompress(base64.b64decode(query["SAMLRequest"][0]), -15)
        request = ElementTree.fromstring(request)
        self.authn_request_data = {
            "RelayState": query["RelayState"][0],
            "requests_session": self.requests_session,
        }
        self.authnreq_attrs = request.attrib
        self.acs_url = request.attrib["AssertionConsumerServiceURL"]
        self.issuer = SAML2_IDP_CONFIG["entityid"]
        now = datetime.datetime.now(datetime.timezone.utc)
        self.response_attrs = {
            "ResponseID": saml_rnd_id(),
            "AuthnRequestID": request.attrib["ID"],
            "IssueInstant": request.attrib["IssueInstant"],
            "NotOnOrAfter": stamp(now + datetime.timedelta(minutes=5)),
            "AssertionConsumerURL": self.acs_url,
            "NameIDNameQualifier": settings.DEFAULT_RESPONSE["NameIDNameQualifier"],
            "NameID": "that-transient-opaque-value",
            "AssertionID": saml_rnd_id(),
            "AuthnIstant": stamp(now),
            "SessionIndex": saml_rnd_id(),
            "Issuer": self.issuer,
            "Audience": request.find(f"{SAML}Issuer").text,
            "AuthnContextClassRef": settings.DEFAULT_RESPONSE["AuthnContextClassRef"],
            "IssueInstantMillis": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "sign_response": True,
            "sign_assertion": True,
        }

    def load_user_attributes(self):
        self.user_attrs = settings.ATTRIBUTES

    def check_response(self, res, msg, attendeds=(), test_id=""):
        test = settings.RESPONSE_TESTS[test_id]
        line = {
            "test": test_id,
            "description": test["description"],
            "accepted": 200 in attendeds,
            "status": res.status_code,
        }
        print(json.dumps(line), flush=True)
        return True, ""


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    if sys.argv[1] == "metadata":
        print(metadata())
    else:
        Check(authn_request_url=sys.argv[2], metadata_etree=None).test_profile_spid_sp()
