/** English texts. The type makes it complete. */
import type { Words } from './zh.ts';

export const en: Words = {
  language: 'English',
  otherLanguage: '中文',
  otherShort: '中',
  colon: ': ',
  and: ', ',
  app: {
    skip: 'Skip to content', loading: 'Reading…', live: 'Live', theme: 'Dark or light', language: 'Language', logIn: 'Log in', lock: 'lock', logOut: 'log out', lockedOf: (name) => `${name} · locked`, waiting: 'Tried again by itself when the gateway does not answer.',
    notThis: 'This account does not open this page', notThisHow: 'Log in as somebody else, or open the page below.', notHere: (name) => `${name} may open no page`, notHereHow: 'Ask an administrator for a role, or log out above for somebody else.',
    broken: 'No data', brokenFor: (seconds) => `nothing for ${span(seconds)}; reconnecting by itself`, noView: 'There is no such page',
    views: 'Pages', alarmsOpen: (count) => `${count} ${count === 1 ? 'alarm' : 'alarms'}`, noAlarms: 'No alarm', more: 'More', close: 'Close', cancel: 'Cancel', again: 'Try again',
    all: 'All', peace: 'Normal', drill: 'DRILL', actual: 'ACTUAL', framed: (word) => word,
  },
  views: { overview: 'Overview', alarms: 'Alarms', canteen: 'Canteen', kiosks: 'Kiosks', rooms: 'Rooms', devices: 'Devices', system: 'System' },
  state: {
    emptyTitle: 'Nothing here yet', error: 'Could not be read', forbidden: 'Not for this account', forbiddenHow: 'This account may not see it.', unreachable: 'The gateway does not answer; it is tried again when the network is back.',
    stale: 'Out of date', none: 'no data', never: 'never read', refused: (detail) => `It did not work: ${detail}`,
  },
  time: {
    ago: (seconds) => (seconds < 5 ? 'just now' : `${span(seconds)} ago`), left: (seconds) => `${span(seconds)} left`, span: (seconds) => span(seconds),
    since: (time) => `since ${time}`,
  },
  hold: { hint: 'Hold for 1 second', key: 'or press Enter twice', keep: 'Keep holding…', once: 'Press Enter again to confirm' },
  logIn: {
    titles: { unlock: 'Locked', badge: 'Log in with your badge', password: 'Log in', setUp: 'First log-in', screen: 'Enrol this screen' }, acts: { unlock: 'Unlock', badge: 'Log in', password: 'Log in', setUp: 'Set up', screen: 'Enrol' },
    why: {
      unlock: 'Nobody touched the screen for a minute, so it locked.', badge: 'Scan your badge, then enter the PIN.', password: 'With account, password and the six digits of your authenticator.', setUp: 'With the one-time code of your administrator, choose a password (12 characters or more) or a PIN (6 to 12 digits).', screen: 'An enrolled screen shows the building and stops rooms without a log-in; people log in with their badge.',
    },
    wrong: { unlock: 'The PIN is not right; try again.', badge: 'The badge or PIN is not right; try again.', password: 'Account, password or digits are not right; please look again.', setUp: 'The code is wrong, used or out of date. Ask your administrator for another.', screen: 'The code is wrong, used or out of date. Ask your administrator for another.' },
    ways: { badge: 'Badge', password: 'Account and password', setUp: 'First log-in', screen: 'Enrol this screen' }, others: 'Other ways', change: 'Somebody else',
    locked: (name) => `${name}, please enter your PIN`, name: 'Account', password: 'Password', code: 'Six digits of the authenticator', badge: 'Badge', pin: 'PIN', enrolment: 'One-time code', newSecret: 'New password or PIN', screenCode: 'Code of the screen', empty: 'Please fill in everything first.',
    done: (account) => `${account} is set up`, totpDone: 'Scan this with an authenticator app; each log-in needs the six digits that it shows. Shown this once.', badgeDone: 'The text of the badge: print it as a QR code. Shown this once.', goOn: 'Continue',
    pad: 'Digits', clear: 'Clear', back: 'Delete one', visitors: 'Demonstration: touch a person to be that person', orSelf: 'Or log in yourself', roles: { health_worker: 'health cabin', canteen: 'canteen', operator: 'duty', technician: 'technician', command: 'command', auditor: 'audit', admin: 'administration' },
    lacking: (name, what) => `${name} may not ${what}. Somebody who may has to log in.`,
    permissions: {
      view: 'look at the building', alarms: 'handle alarms', visits: 'see health data', export: 'export', food: 'write the canteen’s record', tasks: 'carry out tasks', orders: 'send orders', commands: 'set outputs', service: 'begin service', nodes: 'maintain nodes', configure: 'reload', records: 'read records', accounts: 'manage accounts', stop: 'stop a room', own: 'see the log-in',
    },
  },
  demo: { button: 'Faults', faults: 'Make something go wrong', faultsHow: 'Only in the demonstration. One touch breaks it, another mends it; alarms and pages follow.', on: 'broken', off: 'fine', drill: 'Begin a drill', drillHow: 'The head of the centre and the deputy order it: the hall becomes the command room. Log in as Chen and do the tasks under “Rooms”; a drill moves no device.' },
  priority: { high: 'High', medium: 'Medium', low: 'Low' },
  overview: {
    calm: 'All is well today', trouble: (count) => `${count} ${count === 1 ? 'alarm needs' : 'alarms need'} you`, plan: 'Plan', floor: (floor) => (floor < 0 ? `basement ${-floor}` : `floor ${floor}`),
    moreAlarms: (count) => `${count} more`, canteen: 'Cabinets in limits', kiosks: 'Kiosks in service', visits: 'Visits now', district: 'District', connected: 'connected', disconnected: 'not connected',
    of: (good, all) => `${good} / ${all}`, people: 'occupied', nobody: 'empty', peopleCount: (count) => `${count} people`,
    room: 'Room', devices: 'Devices', noDevices: 'This room has no devices', noRooms: 'No rooms yet', noRoomsHow: 'Write [[room]] in facility.toml.', openRoom: (name) => `Open ${name}`,
    gateway: 'Gateway', ready: 'ready', notReady: 'not ready', first: 'first',
  },
  alarms: {
    title: 'Alarms', now: 'Now', shelved: 'Shelved', history: 'History', none: 'No alarms', noneHow: 'All is well; nothing to do.', noneShelved: 'Nothing is shelved', acknowledge: 'Acknowledge', acknowledged: 'Acknowledged',
    shelve: 'Shelve…', unshelve: 'Unshelve', shelveTitle: 'Shelve this alarm', shelvePreview: 'It stays silent until the time is over, then comes back by itself.', howLong: 'For how long', why: 'Reason', whyMissing: 'Please give a reason: the next shift reads it.',
    spans: { '15m': '15 minutes', '1h': '1 hour', '4h': '4 hours', '8h': '8 hours' }, confirmShelve: 'Shelve', first: 'first out', limit: 'limit', value: 'now', gone: 'back to normal, not acknowledged', by: 'by', shelvedLeft: 'shelved',
    events: {
      raised: 'raised', cleared: 'cleared', acknowledge: 'acknowledged', reset: 'reset', shelve: 'shelved', unshelve: 'unshelved', suppress: 'off by design', unsuppress: 'on by design', take_out: 'taken out', put_back: 'put back', expired: 'shelving over',
    },
    reset: 'Reset', takeOut: 'Take it out of service', takeOutPreview: 'It stays silent until somebody puts it back. For repairs only.', putBack: 'Put back', isOut: 'out of service',
    filter: 'Priority', search: 'Search the history', noneFound: 'Nothing found', listLabel: 'List of alarms', allDone: 'By priority, the most urgent first',
  },
  canteen: {
    title: 'Canteen', good: 'In limits', tooWarm: 'Too warm', tooCold: 'Too cold', notHot: 'Not hot enough', unknown: 'No data', limitHigh: (limit) => `at most ${limit} °C`, limitLow: (limit) => `at least ${limit} °C`,
    between: (low, high) => `${low} to ${high} °C`, danger: (minutes) => `${minutes} min in the danger zone`, dangerWhat: 'time at 8 to 60 °C in the last 4 hours', keeps: { cold: 'Cold', frozen: 'Frozen', hot: 'Hot', samples: 'Samples', dish_machine: 'Dish machine', steam: 'Steam', infrared: 'Infrared' },
    doCold: 'Close the door; move the food to another cabinet.', doHot: 'Heat it above 70 °C again, or throw it away.', doUnknown: 'Read the thermometer on the cabinet and note it; call the technician.', doOther: 'Go and look.', goDo: 'I see to it', day: '24 hours', door: 'Door', doorOpen: 'door open', doorShut: 'door closed', gas: 'Gas', gasAlarm: 'Gas leak! Close the valve, open the windows, leave.', gasFine: 'no leak', gasUnknown: 'The gas sensor sends nothing: go and look.',
    none: 'No cabinets yet', noneHow: 'Give devices in devices.toml keeps = "cold", "frozen" or "hot".', write: 'Write a note…', writeTitle: 'A note for the record of today', writePreview: 'It goes into the food safety record of today and stays there.', what: 'What was done', choices: ['Food moved', 'Door closed', 'Looked, fine', 'Heated again', 'Thrown away'], note: 'More', who: 'Name', save: 'Write', saved: 'It is in the record of today.', whoMissing: 'Please give your name.', whatMissing: 'Choose one or write a sentence.', record: 'Record of today (PDF)', since: 'today',
  },
  kiosks: {
    special: { 'paper.fault': 'Out of paper or jammed', 'paper.warn': 'Paper low', 'toner.fault': 'Out of toner', 'toner.warn': 'Toner low' }, part: (part, state) => `${part} ${state}`,
    title: 'Kiosks', services: { in_service: 'In service', degraded: 'Degraded', out_of_service: 'Out of service', maintenance: 'Maintenance', offline: 'No contact' }, parts: { printer: 'Printer', paper: 'Paper', toner: 'Toner', id_reader: 'ID reader', card_reader: 'Card reader', scanner: 'Scanner', camera: 'Camera', touch: 'Touch', network: 'Network', upstream: 'Government platform', cash: 'Cash', receipt: 'Receipts' },
    partStates: { ok: 'fine', busy: 'busy', warn: 'needs attention', user_error: 'waits for its user', fault: 'broken', absent: 'absent', offline: 'no answer' }, matters: (offered, all) => `${offered} of ${all} services`, allMatters: 'Every service can be had', lacking: (count) => `${count} services cannot be had`, today: 'Today', days: 'Last 30 days', busy: 'in use', idle: 'free', none: 'No kiosks yet', noneHow: 'Enter devices of class = "kiosk" in devices.toml.', notOffered: 'What cannot be had now', search: 'Find a service', lacks: (part) => `lacks: ${part}`, allFine: 'Every service can be had.', howTo: { paper: 'Put in paper.', toner: 'Change the toner.', printer: 'Look at the printer.', upstream: 'The government platform does not answer: wait, or report it.', other: 'Look at the machine, or report it.' }, offlineHow: 'Check power and network cable.', noDay: 'no record', dayOf: (day, share) => `${day}: ${share}`,
  },
  rooms: {
    operations: { commit: 'Begin now', confirm: 'Done', cannot: 'Cannot do it', retry: 'Try again', waive: 'Waive', resume: 'Resume', reject: 'Reject' }, leadsTo: { commit: 'The room is cleared and prepared now, without waiting for the notice; it can be stopped at any time.', confirm: 'You have seen with your own eyes that this is done; the room goes on to the next step.', cannot: 'Says truly that it cannot be done; the leader decides to try again, to waive it or to take another room.', retry: 'The device acts once more and is read back.', waive: 'The step is left out for this long; then the room has a gap again.', resume: 'The room begins with the outputs that are not proven safe, then does its steps again; it can be stopped at any time.', reject: 'Not accepted: all steps are checked again from the first; what holds is recognised.' }, reason: 'Reason', whyMissing: 'Please give a reason: whoever comes next reads it.', waiveFor: 'For how long', spans: { '1h': '1 hour', '2h': '2 hours', '8h': '8 hours', '24h': '24 hours' }, underName: (name) => `Recorded under the name of ${name}.`, title: 'Rooms', stop: 'STOP', stopRoom: (name) => `Stop ${name}`, stopped: 'Stopped', stopHint: 'Stops at once; every output goes to its safe state', stageNames: { preview: 'Asked', notice: 'Notice', clearing: 'Clear', acting: 'Prepare', checking: 'Check', ready: 'Ready', returning: 'Return' }, stages: { peace: 'normal', preview: 'ordered', notice: 'notice', clearing: 'clearing', acting: 'preparing', checking: 'checking', ready: 'ready', degraded: 'usable, with gaps', proving: 'proving again', held: 'held' },
    fire: 'Fire panel', fireStates: { normal: 'normal', alarm: 'FIRE', unknown: 'not read' }, unproven: 'Outputs not proven safe', why: 'Why', ends: 'How to go on', waits: 'Waits for', asked: 'For people to do', nobodyAsked: 'Nothing for people to do now', peace: 'Normal use', order: 'order', by: (time) => `ready about ${time}`, done: (done, count) => `${done} of ${count} done`, plans: 'Plans', see: 'See the plan', planTitle: 'Plan', notNow: 'What would stop it now', notNowNone: 'Nothing would stop it now.', unknownNow: 'What is not known now', atMost: (text) => `at most ${text}`, steps: 'Steps', needs: (role, count) => `${count} × ${role}`, device: 'device', process: 'process', verify: 'check', basis: 'Basis', enter: 'switch', leave: 'back to normal', none: 'No room changes its use', noneHow: 'Put plans into plans/.', inService: 'in service state', notInDemand: 'This room is not switched', roles: { sampling_area: 'sampling area', command_room: 'command room', supplies_warehouse: 'supplies store', health_cabin: 'health cabin', reading_room: 'reading room', hall: 'hall', kitchen: 'kitchen', service_hall: 'public services', shelter: 'shelter', isolation: 'isolation' }, people: { staff: 'staff', site_lead: 'site lead', site_deputy: 'site deputy', commander: 'commander', duty_officer: 'duty officer', volunteer: 'volunteer' },
  },
  system: {
    title: 'System', gateway: 'Gateway', version: 'Version', runningFor: 'Running for', fallback: 'The configuration on disk is wrong; the last good one is in force. `linli check` says where.',
    uplink: 'District', broker: 'Server', since: 'Since', sent: 'Delivered', waiting: 'Waiting', dead: 'Refused by the server', deadHow: 'Messages that the server refused are kept aside and not lost: check its limits of size and its permissions.',
    store: 'Store', writable: 'Takes data', notWritable: 'Cannot be written', used: (used, max) => `${used} MB of ${max} MB in use`, lost: 'Given up for want of space', lostHow: 'The loss ledger tells the district which span is missing.', refused: 'Not taken',
    accounts: 'Accounts', noAccounts: 'No account yet.', self: 'you', states: { invited: 'waits for its person', expired: 'code has expired', active: 'can log in', disabled: 'switched off' }, add: 'Add a person…',
    addTitle: 'Add a person', addWhy: 'You get a code, valid once and for 24 hours. The person uses it to choose a password or PIN.', addAct: 'Get the code', addName: 'Account (small letters and digits)', addRoles: 'Roles', addEmpty: 'Enter an account and choose at least one role.',
    roleMay: { health_worker: 'visits, measurements, exports', canteen: 'samples, cooling, the daily record', operator: 'tasks, confirming orders on the spot', technician: 'devices, service, configuration', command: 'sends and confirms orders', auditor: 'reads records only', admin: 'accounts and screens; no health data' },
    person: 'Person', state: 'State', logIn: 'Logs in with', logIns: { password: 'password and six digits', badge: 'badge and PIN' }, open: 'Open log-ins', selfHow: 'Nobody switches off or resets their own account.', reset: 'Reset, give a new code', resetWhy: 'For a forgotten password, a lost badge or phone: the old one ends at once, a new code is given.', disable: 'Switch off', disableWhy: 'Every log-in ends at once, and there is no new one; the name stays in the records.', enable: 'Switch on again', enableWhy: 'The person logs in with the same password or badge as before.',
    issued: { account: (name) => `Code for ${name}`, screen: (name) => `Code for the screen ${name}`, sealed: () => 'Emergency codes' }, issuedHow: { account: 'Give it to the person, who chooses "First log-in" at the log-in. Valid for 24 hours; shown this once.', screen: 'At that screen\'s log-in choose "Enrol this screen". Valid for 1 hour; shown this once.', sealed: 'Write or print them, seal them, lock them away. Each works once; shown this once.' }, written: 'Written down',
    screens: 'Enrolled screens', noScreens: 'No screen is enrolled yet.', enrolled: 'enrolled', notEnrolled: 'waits for its code', enrol: 'Enrol a screen…', enrolTitle: 'Enrol a screen', enrolWhy: 'An enrolled screen shows the centre and stops rooms without a person; people log in there with badge and PIN.', enrolAct: 'Get the code', screenName: 'Name of the screen (small letters and digits)', room: 'In which room', remove: 'Remove', removeTitle: (screen) => `Remove the screen ${screen}?`, removeWhy: 'It shows nothing any more at once, and the log-in there ends.',
    sealed: 'Emergency codes', unused: (count) => (count ? `${count} are unused` : 'None: make some now'), sealedWhy: 'For the day the log-in does not work: operator, technician and admin for an hour, no health data; using one is an alarm.', seal: (count) => `Make ${count} new ones`, sealPreview: 'All earlier emergency codes end.',
    records: 'Records', recordsHow: 'One entry a line, tied together by hashes, so that every change is found: `linli audit verify`.', recordNames: { mode: 'Mode switch', accounts: 'Log-ins', nodes: 'Nodes', access: 'Looks at health data', alarms: 'Operations on alarms' }, taking: 'Fetching…',
  },
  devices: {
    title: 'Devices', lines: 'Lines', line: 'Line', up: 'up', down: 'down', online: 'online', offline: 'offline', unknown: 'unknown', devicesOn: (online, all) => `${online} of ${all} online`, share: (percent) => `${percent}% busy`, requests: 'Requests', timeouts: 'Timeouts', refusals: 'Refusals', garbled: 'Garbled', latency: 'Answer', opens: 'Opened', point: 'Point', value: 'Value', quality: 'Quality', age: 'When', trend: 'Trend', error: 'Last error', profile: 'Profile', none: 'No devices yet', noneHow: 'Enter lines and devices in devices.toml.', pick: 'Choose a device to see its values.', vital: 'Vital signs are shown after logging in.', computed: 'computed', findings: 'Self test of the gateway',
    quality_: { good: 'good', uncertain: 'uncertain', bad: 'bad' }, reasons: { stale: 'stale', no_value: 'no value', silent: 'no answer', timeout: 'no answer', line_down: 'line down', out_of_range: 'out of range', refused: 'refused', sensor: 'sensor broken' },
  },
  trend: { hours1: '1 hour', hours24: '24 hours', days7: '7 days', table: 'Table', chart: 'Chart', time: 'Time', mean: 'Mean', lowest: 'Lowest', highest: 'Highest', none: 'No data in this time', label: (name) => `Trend of ${name}`, range: 'Span' },
  points: {
    temperature: 'Temperature', humidity: 'Humidity', co2: 'CO₂', air_temperature: 'Air temperature', product_temperature: 'Food temperature', active_power: 'Power', voltage: 'Voltage', current: 'Current', frequency: 'Frequency', energy_import: 'Energy', door: 'Door', door_open: 'Door', occupied: 'Occupied', gas: 'Gas', fan: 'Fan', lamp: 'Light', counter: 'Counter', danger_time: 'Danger time', unknown_time: 'Unknown time', fire_alarm: 'Fire', egress_free: 'Exit', oxygen_saturation: 'Oxygen', pulse_rate: 'Pulse', paper: 'Paper', printer: 'Printer', speed: 'Speed', linkquality: 'Signal', uptime: 'Uptime', power_factor: 'Power factor', relay: 'Relay', lamps: 'UV lamps', set_point: 'Set point', limit: 'Limit', alarm_threshold: 'Alarm limit', fan_running: 'Fan runs', door_closed: 'Door closed', beyond: 'Beyond', apparent_power: 'Apparent power', reactive_power: 'Reactive power', energy_export: 'Energy out', tamper: 'Tamper', irradiance: 'UV light', gate_button: 'Gate button', lamp_interlock: 'Lamp interlock',
  },
  bools: {
    door: ['closed', 'open'], door_open: ['closed', 'open'], occupied: ['empty', 'occupied'], gas: ['normal', 'leak'], fire_alarm: ['normal', 'FIRE'], egress_free: ['blocked', 'free'], fan: ['off', 'on'], lamp: ['off', 'on'], lamps: ['off', 'on'], relay: ['open', 'closed'], other: ['no', 'yes'],
  },
};

function span(seconds: number): string {
  if (seconds < 60) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d`;
}
