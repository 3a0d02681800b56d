//! What can be wrong about the health cabin in `gateway.toml`: keys, limits, slips, the FHIR server, its accounts.
// tidy: table

use super::{Case, G};

pub const CASES: &[Case] = &[
    ("one of the cabin's keys", G, "[log]", "[cabin]\nidentity_key = \"file:a.key\"\n\n[log]"),
    (
        "a key in the configuration",
        G,
        "[log]",
        "[cabin]\nidentity_key = \"0123\"\npseudonym_key = \"env:K\"\n\n[log]",
    ),
    ("older keys without a present one", G, "[log]", "[cabin]\nprevious_identity_keys = []\n\n[log]"),
    ("visits that never end", G, "[log]", "[cabin]\nvisit_timeout = \"30d\"\n\n[log]"),
    ("measurements kept for an hour", G, "[log]", "[cabin]\nretention = \"1h\"\n\n[log]"),
    ("pressure in kilopascal", G, "[log]", "[cabin]\nhypertension = [18.7, 12.0]\n\n[log]"),
    ("one pressure only", G, "[log]", "[cabin]\nhypertension = [140]\n\n[log]"),
    ("a centre above the highest town", G, "[log]", "[cabin]\naltitude = 9000\n\n[log]"),
    ("fever in Fahrenheit", G, "[log]", "[cabin]\nfever = 99.1\n\n[log]"),
    ("limits signed for without a day", G, "[log]", "[cabin]\nfever = 37.5\nlimits_by = \"李\"\n\n[log]"),
    (
        "limits of a day without a name",
        G,
        "[log]",
        "[cabin]\nfever = 37.5\nlimits_on = \"2026-11-30\"\n\n[log]",
    ),
    (
        "a signature for no limits",
        G,
        "[log]",
        "[cabin]\nlimits_by = \"李\"\nlimits_on = \"2026-11-30\"\n\n[log]",
    ),
    (
        "limits set on no day",
        G,
        "[log]",
        "[cabin]\nfever = 37.5\nlimits_by = \" \"\nlimits_on = \"30.11.2026\"\n\n[log]",
    ),
    ("a printer by its web page", G, "[log]", "[slip]\nprinter = \"http://192.0.2.7/\"\n\n[log]"),
    ("a printer in the clear", G, "[log]", "[slip]\nprinter = \"ipp://192.0.2.7/ipp/print\"\n\n[log]"),
    ("paper that no slip has", G, "[log]", "[slip]\npaper = \"a4\"\n\n[log]"),
    ("certificates without a printer", G, "[log]", "[slip]\nprinter_ca = \"ca.pem\"\n\n[log]"),
    (
        "certificates for a queue in the clear",
        G,
        "[log]",
        "[slip]\nprinter = \"ipp://127.0.0.1/printers/a\"\nprinter_ca = \"ca.pem\"\n\n[log]",
    ),
    ("no fonts at all", G, "[log]", "[slip]\nfonts = []\n\n[log]"),
    (
        "a FHIR server without consents",
        G,
        "[log]",
        "[fhir]\nurl = \"https://a/fhir\"\nconsents = []\n\n[log]",
    ),
    (
        "a FHIR server in the clear",
        G,
        "[log]",
        "[fhir]\nurl = \"http://a/fhir\"\nconsents = [\"1\"]\n\n[log]",
    ),
    (
        "a FHIR server with a password",
        G,
        "[log]",
        "[fhir]\nurl = \"https://u:p@a/\"\nconsents = [\"1\"]\n\n[log]",
    ),
    (
        "a FHIR token in the configuration",
        G,
        "[log]",
        "[fhir]\nurl = \"https://a/fhir\"\nconsents = [\"1\"]\ntoken = \"secret\"\n\n[log]",
    ),
    (
        "a reason that encryption does not need",
        G,
        "[log]",
        "[fhir]\nurl = \"https://a/fhir\"\nconsents = [\"1\"]\ninsecure = \"because it is\"\n\n[log]",
    ),
    (
        "a worker's token in the configuration",
        G,
        "[log]",
        "[[worker]]\nname = \"wang\"\ntoken = \"secret\"\n\n[log]",
    ),
    ("a worker without a token", G, "[log]", "[[worker]]\nname = \"wang\"\n\n[log]"),
    (
        "a worker twice",
        G,
        "[log]",
        "[[worker]]\nname = \"wang\"\ntoken = \"env:A\"\n\n[[worker]]\nname = \"wang\"\ntoken = \"env:B\"\n\n[log]",
    ),
    (
        "a worker with a role that there is not",
        G,
        "[log]",
        "[[worker]]\nname = \"wang\"\ntoken = \"env:A\"\nroles = [\"boss\"]\n\n[log]",
    ),
    (
        "a worker that would be a screen",
        G,
        "[log]",
        "[[worker]]\nname = \"wang\"\ntoken = \"env:A\"\nroles = [\"screen\"]\n\n[log]",
    ),
    (
        "a local account without a role",
        G,
        "[log]",
        "[[local_account]]\nname = \"box\"\nuid = 1000\nroles = []\n\n[log]",
    ),
    (
        "two local accounts of one user",
        G,
        "[log]",
        "[[local_account]]\nname = \"box\"\nuid = 7\nroles = [\"operator\"]\n\n\
         [[local_account]]\nname = \"desk\"\nuid = 7\nroles = [\"operator\"]\n\n[log]",
    ),
    (
        "a local account of nobody",
        G,
        "[log]",
        "[[local_account]]\nname = \"box\"\nuid = 7\nroles = [\"operator\"]\nperson = \"nobody\"\n\n[log]",
    ),
];
