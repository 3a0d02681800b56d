//! What can be wrong about a scanner on a serial port, and about a monitor that asks who is here.
// tidy: table

use super::{Case, D};

pub const CASES: &[Case] = &[
    (
        "a scanner on a port that is no path",
        D,
        "[[line]]",
        "[[line]]\nid = \"scan\"\nkind = \"scanner\"\nport = \"COM4\"\n\n[[device]]\nid = \"scanner-1\"\nline = \"scan\"\nprofile = \"scanner/line\"\nclass = \"vital\"\nroom = \"health-cabin\"\n\n[[line]]",
    ),
    (
        "a scanner whose port has another key",
        D,
        "[[line]]",
        "[[line]]\nid = \"scan\"\nkind = \"scanner\"\npath = \"/dev/ttyUSB0\"\n\n[[device]]\nid = \"scanner-1\"\nline = \"scan\"\nprofile = \"scanner/line\"\nclass = \"vital\"\nroom = \"health-cabin\"\n\n[[line]]",
    ),
    (
        "a scanner at an odd speed",
        D,
        "[[line]]",
        "[[line]]\nid = \"scan\"\nkind = \"scanner\"\nport = \"/dev/ttyUSB0\"\nbaud = 115000\n\n[[device]]\nid = \"scanner-1\"\nline = \"scan\"\nprofile = \"scanner/line\"\nclass = \"vital\"\nroom = \"health-cabin\"\n\n[[line]]",
    ),
    (
        "a scanner at a speed in words",
        D,
        "[[line]]",
        "[[line]]\nid = \"scan\"\nkind = \"scanner\"\nport = \"/dev/ttyUSB0\"\nbaud = \"9600\"\n\n[[device]]\nid = \"scanner-1\"\nline = \"scan\"\nprofile = \"scanner/line\"\nclass = \"vital\"\nroom = \"health-cabin\"\n\n[[line]]",
    ),
    (
        "a scanner whose port and speed are none",
        D,
        "[[line]]",
        "[[line]]\nid = \"scan\"\nkind = \"scanner\"\nport = \"ttyUSB0\"\nbaud = 0\n\n[[device]]\nid = \"scanner-1\"\nline = \"scan\"\nprofile = \"scanner/line\"\nclass = \"vital\"\nroom = \"health-cabin\"\n\n[[line]]",
    ),
    (
        "a scanner with a parity",
        D,
        "[[line]]",
        "[[line]]\nid = \"scan\"\nkind = \"scanner\"\nport = \"/dev/ttyUSB0\"\nparity = \"even\"\n\n[[device]]\nid = \"scanner-1\"\nline = \"scan\"\nprofile = \"scanner/line\"\nclass = \"vital\"\nroom = \"health-cabin\"\n\n[[line]]",
    ),
    (
        "a scanner without a room",
        D,
        "[[line]]",
        "[[line]]\nid = \"scan\"\nkind = \"scanner\"\nport = \"/dev/ttyUSB0\"\n\n[[device]]\nid = \"scanner-1\"\nline = \"scan\"\nprofile = \"scanner/line\"\nclass = \"vital\"\n\n[[line]]",
    ),
    (
        "a scanner in a room that is not there",
        D,
        "[[line]]",
        "[[line]]\nid = \"scan\"\nkind = \"scanner\"\nport = \"/dev/ttyUSB0\"\n\n[[device]]\nid = \"scanner-1\"\nline = \"scan\"\nprofile = \"scanner/line\"\nclass = \"vital\"\nroom = \"health-cabni\"\n\n[[line]]",
    ),
    (
        "a scanner without a class",
        D,
        "[[line]]",
        "[[line]]\nid = \"scan\"\nkind = \"scanner\"\nport = \"/dev/ttyUSB0\"\n\n[[device]]\nid = \"scanner-1\"\nline = \"scan\"\nprofile = \"scanner/line\"\nroom = \"health-cabin\"\n\n[[line]]",
    ),
    (
        "a scanner of a profile that is none",
        D,
        "[[line]]",
        "[[line]]\nid = \"scan\"\nkind = \"scanner\"\nport = \"/dev/ttyUSB0\"\n\n[[device]]\nid = \"scanner-1\"\nline = \"scan\"\nprofile = \"scanner/lines\"\nclass = \"vital\"\nroom = \"health-cabin\"\n\n[[line]]",
    ),
    (
        "a scanner of the profile of a thermometer",
        D,
        "[[line]]",
        "[[line]]\nid = \"scan\"\nkind = \"scanner\"\nport = \"/dev/ttyUSB0\"\n\n[[device]]\nid = \"scanner-1\"\nline = \"scan\"\nprofile = \"xy/md02\"\nclass = \"vital\"\nroom = \"health-cabin\"\n\n[[line]]",
    ),
    (
        "a scanner with a unit",
        D,
        "[[line]]",
        "[[line]]\nid = \"scan\"\nkind = \"scanner\"\nport = \"/dev/ttyUSB0\"\n\n[[device]]\nid = \"scanner-1\"\nline = \"scan\"\nprofile = \"scanner/line\"\nclass = \"vital\"\nroom = \"health-cabin\"\nunit = 1\n\n[[line]]",
    ),
    (
        "two scanners on one line",
        D,
        "[[line]]",
        "[[line]]\nid = \"scan\"\nkind = \"scanner\"\nport = \"/dev/ttyUSB0\"\n\n[[device]]\nid = \"scanner-1\"\nline = \"scan\"\nprofile = \"scanner/line\"\nclass = \"vital\"\nroom = \"health-cabin\"\n\n[[device]]\nid = \"scanner-2\"\nline = \"scan\"\nprofile = \"scanner/line\"\nclass = \"vital\"\nroom = \"health-cabin\"\n\n[[line]]",
    ),
    (
        "a scanner on the port of a bus",
        D,
        "[[line]]",
        "[[line]]\nid = \"scan\"\nkind = \"scanner\"\nport = \"/dev/serial/by-id/usb-kitchen\"\n\n[[device]]\nid = \"scanner-1\"\nline = \"scan\"\nprofile = \"scanner/line\"\nclass = \"vital\"\nroom = \"health-cabin\"\n\n[[line]]",
    ),
    (
        "a line of a scanner without it",
        D,
        "[[line]]",
        "[[line]]\nid = \"scan\"\nkind = \"scanner\"\nport = \"/dev/ttyUSB0\"\n\n[[line]]",
    ),
    (
        "a serial health device at an odd speed",
        D,
        "[[line]]",
        "[[line]]\nid = \"scan\"\nkind = \"serial\"\nport = \"/dev/ttyUSB0\"\nbaud = 31250\n\n[[device]]\nid = \"scanner-1\"\nline = \"scan\"\nprofile = \"and/ua-767pbt\"\nclass = \"vital\"\nroom = \"health-cabin\"\n\n[[line]]",
    ),
    (
        "a patient query with a word that is none",
        D,
        "[[line]]",
        "[[line]]\nid = \"monitor\"\nkind = \"mllp\"\nlisten = \"127.0.0.1:2575\"\npatient_query = \"yes\"\n\n[[device]]\nid = \"monitor-1\"\nline = \"monitor\"\nprofile = \"hl7/oru-r01\"\nclass = \"vital\"\nroom = \"health-cabin\"\n\n[[line]]",
    ),
    (
        "a patient query that is no word",
        D,
        "[[line]]",
        "[[line]]\nid = \"monitor\"\nkind = \"mllp\"\nlisten = \"127.0.0.1:2575\"\npatient_query = true\n\n[[device]]\nid = \"monitor-1\"\nline = \"monitor\"\nprofile = \"hl7/oru-r01\"\nclass = \"vital\"\nroom = \"health-cabin\"\n\n[[line]]",
    ),
    (
        "a patient query from no room",
        D,
        "[[line]]",
        "[[line]]\nid = \"monitor\"\nkind = \"mllp\"\nlisten = \"127.0.0.1:2575\"\npatient_query = \"visit\"\n\n[[device]]\nid = \"monitor-1\"\nline = \"monitor\"\nprofile = \"hl7/oru-r01\"\nclass = \"vital\"\n\n[[line]]",
    ),
    (
        "a patient query on a line of a scanner",
        D,
        "[[line]]",
        "[[line]]\nid = \"scan\"\nkind = \"scanner\"\nport = \"/dev/ttyUSB0\"\npatient_query = \"visit\"\n\n[[device]]\nid = \"scanner-1\"\nline = \"scan\"\nprofile = \"scanner/line\"\nclass = \"vital\"\nroom = \"health-cabin\"\n\n[[line]]",
    ),
    (
        "a patient query off this machine without a reason",
        D,
        "[[line]]",
        "[[line]]\nid = \"monitor\"\nkind = \"mllp\"\nlisten = \"192.0.2.1:2575\"\npatient_query = \"visit\"\n\n[[device]]\nid = \"monitor-1\"\nline = \"monitor\"\nprofile = \"hl7/oru-r01\"\nclass = \"vital\"\nroom = \"health-cabin\"\n\n[[line]]",
    ),
    (
        "a patient query under a wrong name",
        D,
        "[[line]]",
        "[[line]]\nid = \"monitor\"\nkind = \"mllp\"\nlisten = \"127.0.0.1:2575\"\npatient_querry = \"visit\"\n\n[[device]]\nid = \"monitor-1\"\nline = \"monitor\"\nprofile = \"hl7/oru-r01\"\nclass = \"vital\"\nroom = \"health-cabin\"\n\n[[line]]",
    ),
];
