/** Chinese texts that the screens of the district have too. */
export const shared = {
  time: {
    ago: (seconds: number) => (seconds < 5 ? '刚刚' : `${span(seconds)}前`), left: (seconds: number) => `还有 ${span(seconds)}`, span: (seconds: number) => span(seconds),
    since: (time: string) => `${time} 起`,
  },
  priority: { high: '高', medium: '中', low: '低' },
  trend: { hours1: '1 小时', hours24: '24 小时', days7: '7 天', days30: '30 天', days90: '90 天', compare: '比较……', compareWith: '和哪一个比', noCompare: '不比较', save: '存为 CSV', limit: (text: string) => `界限 ${text}`, table: '表格', chart: '曲线', time: '时间', mean: '平均', lowest: '最低', highest: '最高', none: '这段时间没有数据', label: (name: string) => `${name} 的趋势`, range: '时段' },
  points: {
    temperature: '温度', humidity: '湿度', co2: '二氧化碳', air_temperature: '空气温度', product_temperature: '食物温度', active_power: '功率', voltage: '电压', current: '电流', frequency: '频率', energy_import: '用电量', door: '门', door_open: '门', occupied: '有人', gas: '燃气', fan: '风机', lamp: '灯', counter: '计数', danger_time: '危险温度时间', unknown_time: '无温度时间', fire_alarm: '火警', egress_free: '出口', oxygen_saturation: '血氧', pulse_rate: '脉率', paper: '纸', printer: '打印机', speed: '转速', linkquality: '信号', uptime: '运行时间', power_factor: '功率因数', relay: '继电器', lamps: '紫外灯', set_point: '设定值', limit: '界限', alarm_threshold: '报警界限', fan_running: '风机运转', door_closed: '门已关', beyond: '超限', apparent_power: '视在功率', reactive_power: '无功功率', energy_export: '送电量', tamper: '防拆', irradiance: '紫外照射', gate_button: '开门按钮', lamp_interlock: '灯联锁',
  } as Record<string, string>,
  bools: {
    door: ['关着', '开着'], door_open: ['关着', '开着'], occupied: ['无人', '有人'], gas: ['正常', '泄漏'], fire_alarm: ['正常', '火警'], egress_free: ['堵塞', '畅通'], fan: ['关', '开'], lamp: ['关', '开'], lamps: ['关', '开'], relay: ['断开', '合上'], other: ['否', '是'],
  } as Record<string, [string, string]>,
  /** Stages of a room. */
  stages: { peace: '平时', preview: '已提出', notice: '预告', clearing: '清场', acting: '准备', checking: '验证', ready: '就绪', degraded: '可用，有缺项', proving: '重新验证', held: '停住' } as Record<string, string>,
  /** Kinds of orders. */
  kinds: { Enter: '转换', Return: '返回平时', Cancel: '取消', Amend: '变更', StandDown: '解除', Stop: '停止' } as Record<string, string>,
};

/** Spans in words. */
export function span(seconds: number): string {
  if (seconds < 60) return `${Math.max(0, Math.round(seconds))} 秒`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} 分钟`;
  if (seconds < 86_400) {
    const minutes = Math.floor((seconds % 3600) / 60);
    return `${Math.floor(seconds / 3600)} 小时${minutes ? ` ${minutes} 分` : ''}`;
  }
  return `${Math.floor(seconds / 86_400)} 天`;
}

export type Shared = typeof shared;
