"""Reads a FHIR R4 Bundle with the Python package `fhir.resources`; what it does not accept fails here.

usage: fhir_check.py < bundle.json    (prints one line of JSON per observation)
"""

import json
import sys

from fhir.resources.R4B.bundle import Bundle

PROFILES = {
    "85354-9": {"8480-6", "8462-4"},
}

bundle = Bundle.model_validate_json(sys.stdin.read())
assert bundle.type == "collection"
for entry in bundle.entry or []:
    observation = entry.resource
    codes = {coding.code for coding in observation.code.coding}
    # What the vital-signs profile asks for beyond the base resource.
    assert observation.category and observation.subject and observation.effectiveDateTime
    has_value = observation.valueQuantity or observation.component or observation.dataAbsentReason
    assert has_value, "neither value nor reason"
    for code, wanted in PROFILES.items():
        if code in codes:
            assert wanted <= {c.code.coding[0].code for c in observation.component}
    values = [c.valueQuantity for c in observation.component or []] + [observation.valueQuantity]
    for value in filter(None, values):
        assert value.system == "http://unitsofmeasure.org" and value.code
    print(
        json.dumps(
            {
                "codes": sorted(codes),
                "status": observation.status,
                "version": observation.meta.versionId,
                "subject": observation.subject.identifier.value if observation.subject.identifier else None,
                "value": float(observation.valueQuantity.value) if observation.valueQuantity else None,
            }
        )
    )
