/** English texts that the screens of the district have too. */
import type { Shared } from './zh.ts';

export const shared: Shared = {
  time: {
    ago: (seconds) => (seconds < 5 ? 'just now' : `${span(seconds)} ago`), left: (seconds) => `${span(seconds)} left`, span: (seconds) => span(seconds),
    since: (time) => `since ${time}`,
  },
  priority: { high: 'High', medium: 'Medium', low: 'Low' },
  trend: { hours1: '1 hour', hours24: '24 hours', days7: '7 days', days30: '30 days', days90: '90 days', compare: 'Compare…', compareWith: 'With which point', noCompare: 'With none', save: 'Save as CSV', limit: (text) => `limit ${text}`, table: 'Table', chart: 'Chart', time: 'Time', mean: 'Mean', lowest: 'Lowest', highest: 'Highest', none: 'No data in this time', label: (name) => `Trend of ${name}`, range: 'Span' },
  points: {
    temperature: 'Temperature', humidity: 'Humidity', co2: 'CO₂', air_temperature: 'Air temperature', product_temperature: 'Food temperature', active_power: 'Power', voltage: 'Voltage', current: 'Current', frequency: 'Frequency', energy_import: 'Energy', door: 'Door', door_open: 'Door', occupied: 'Occupied', gas: 'Gas', fan: 'Fan', lamp: 'Light', counter: 'Counter', danger_time: 'Danger time', unknown_time: 'Unknown time', fire_alarm: 'Fire', egress_free: 'Exit', oxygen_saturation: 'Oxygen', pulse_rate: 'Pulse', paper: 'Paper', printer: 'Printer', speed: 'Speed', linkquality: 'Signal', uptime: 'Uptime', power_factor: 'Power factor', relay: 'Relay', lamps: 'UV lamps', set_point: 'Set point', limit: 'Limit', alarm_threshold: 'Alarm limit', fan_running: 'Fan runs', door_closed: 'Door closed', beyond: 'Beyond', apparent_power: 'Apparent power', reactive_power: 'Reactive power', energy_export: 'Energy out', tamper: 'Tamper', irradiance: 'UV light', gate_button: 'Gate button', lamp_interlock: 'Lamp interlock',
  },
  bools: {
    door: ['closed', 'open'], door_open: ['closed', 'open'], occupied: ['empty', 'occupied'], gas: ['normal', 'leak'], fire_alarm: ['normal', 'FIRE'], egress_free: ['blocked', 'free'], fan: ['off', 'on'], lamp: ['off', 'on'], lamps: ['off', 'on'], relay: ['open', 'closed'], other: ['no', 'yes'],
  },
  /** Stages of a room. */
  stages: { peace: 'normal', preview: 'ordered', notice: 'notice', clearing: 'clearing', acting: 'preparing', checking: 'checking', ready: 'ready', degraded: 'usable, with gaps', proving: 'proving again', held: 'held' },
  /** Kinds of orders. */
  kinds: { Enter: 'Switch', Return: 'Back to normal', Cancel: 'Cancel', Amend: 'Amend', StandDown: 'Stand down', Stop: 'Stop' },
};

/** Spans in words. */
export function span(seconds: number): string {
  if (seconds < 60) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d`;
}
