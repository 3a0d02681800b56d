"""Reads FHIR R4 resources with the Python package `fhir.resources`; what it does not accept fails here.

usage: fhir_resources.py < resources.json    (a JSON array)
"""

import json
import sys

from fhir.resources.R4B import get_fhir_model_class

for resource in json.load(sys.stdin):
    read = get_fhir_model_class(resource["resourceType"]).model_validate_json(json.dumps(resource))
    if resource["resourceType"] == "Observation":
        # What the vital-signs profile asks for beyond the base resource.
        assert read.category[0].coding[0].code in ("vital-signs", "laboratory"), resource
        assert read.subject and read.effectiveDateTime and read.identifier, resource
        for value in [read.valueQuantity] + [part.valueQuantity for part in read.component or []]:
            assert value is None or (value.system == "http://unitsofmeasure.org" and value.code), resource
