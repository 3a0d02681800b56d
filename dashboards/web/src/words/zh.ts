/** Chinese texts: the table that the others follow. */
export const zh = {
  language: '中文',
  otherLanguage: 'English',
  otherShort: 'EN',
  colon: '：',
  app: {
    skip: '跳到内容', loading: '正在读取……', live: '实时', theme: '深色或浅色', language: '语言', logIn: '登录', lock: '锁定', loggedIn: '已登录',
    broken: '数据中断', brokenFor: (seconds: number) => `已 ${span.zh(seconds)}没有数据，正在自动重连`, noView: '没有这个页面', toOverview: '回到总览',
    views: '页面', alarmsOpen: (count: number) => `${count} 条报警`, noAlarms: '无报警', more: '更多', close: '关闭', cancel: '取消', again: '再试一次',
    all: '全部', peace: '平时', drill: '演练', actual: '实战', framed: (word: string) => `【${word}】`,
  },
  views: { overview: '总览', alarms: '报警', canteen: '食堂', kiosks: '终端', rooms: '房间', devices: '设备' },
  state: {
    emptyTitle: '这里还没有内容', error: '读取失败', forbidden: '需要登录', forbiddenHow: '这部分内容要登录后才能看。', unreachable: '网关没有回应；网络恢复后自动重试。',
    stale: '数据已过时', none: '无数据', never: '还没有读到过', refused: (detail: string) => `没有成功：${detail}`,
  },
  time: {
    ago: (seconds: number) => (seconds < 5 ? '刚刚' : `${span.zh(seconds)}前`), left: (seconds: number) => `还有 ${span.zh(seconds)}`, span: (seconds: number) => span.zh(seconds),
    since: (time: string) => `${time} 起`,
  },
  hold: { hint: '按住 1 秒', key: '或按两次回车', keep: '继续按住……', once: '再按一次回车确认' },
  logIn: {
    title: '登录', token: '口令（令牌）', tokenHow: '由技术员发放；演示中心的口令印在启动画面上。', name: '账号', password: '密码', submit: '登录',
    wrong: '口令不对，请再看一遍。', empty: '请先输入。', why: '登录后才能确认报警、停止房间、写记录。',
  },
  priority: { high: '高', medium: '中', low: '低' },
  overview: {
    calm: '今天没有事', trouble: (count: number) => `${count} 条报警要处理`, plan: '平面图', floor: (floor: number) => (floor < 0 ? `地下 ${-floor} 层` : `${floor} 层`),
    moreAlarms: (count: number) => `另有 ${count} 条`, canteen: '冷热柜合格', kiosks: '终端可用', visits: '小屋正在接待', district: '上传区平台', connected: '已连接', disconnected: '未连接',
    of: (good: number, all: number) => `${good} / ${all}`, people: '有人', nobody: '无人', peopleCount: (count: number) => `${count} 人`,
    room: '房间', devices: '设备', noDevices: '这个房间没有设备', noRooms: '还没有登记房间', noRoomsHow: '在 facility.toml 里写 [[room]]。', openRoom: (name: string) => `打开${name}`,
    gateway: '网关', ready: '正常', notReady: '不正常', first: '最早',
  },
  alarms: {
    title: '报警', now: '当前', shelved: '已搁置', history: '历史', none: '没有报警', noneHow: '一切正常，不用处理。', noneShelved: '没有搁置的报警', acknowledge: '知道了', acknowledged: '已有人处理',
    shelve: '搁置……', unshelve: '取消搁置', shelveTitle: '暂时搁置这条报警', shelvePreview: '搁置期间不再响、不再提醒；到时自动恢复。', howLong: '多久', why: '原因', whyMissing: '请写原因，交班的人要看。',
    spans: { '15m': '15 分钟', '1h': '1 小时', '4h': '4 小时', '8h': '8 小时' }, confirmShelve: '搁置', first: '最先发生', limit: '界限', value: '现在', gone: '已恢复，待确认', by: '处理人', shelvedLeft: '搁置',
    events: {
      raised: '发生', cleared: '恢复', acknowledge: '确认', reset: '复位', shelve: '搁置', unshelve: '取消搁置', suppress: '按设计停用', unsuppress: '按设计启用', take_out: '停用', put_back: '启用', expired: '搁置到期',
    } as Record<string, string>,
    reset: '复位', takeOut: '停用这条报警', takeOutPreview: '停用后一直不报，直到有人恢复。只在检修时用。', putBack: '恢复', isOut: '已停用',
    filter: '优先级', search: '搜索历史', noneFound: '没有找到', listLabel: '报警列表', allDone: '全部按优先级排列，最急的在最上面',
  },
  canteen: {
    title: '食堂', good: '合格', tooWarm: '超温', tooCold: '过冷', notHot: '不够热', unknown: '没有数据', limitHigh: (limit: string) => `不高于 ${limit} °C`, limitLow: (limit: string) => `不低于 ${limit} °C`,
    between: (low: string, high: string) => `${low}–${high} °C`, danger: (minutes: string) => `危险温度 ${minutes} 分钟`, dangerWhat: '近 4 小时在 8–60 °C 的时间', keeps: { cold: '冷藏', frozen: '冷冻', hot: '热藏', samples: '留样', dish_machine: '洗碗机', steam: '蒸汽消毒', infrared: '红外消毒' } as Record<string, string>,
    doCold: '关好门；把食物移到别的冷柜。', doHot: '重新加热到 70 °C 以上，或扔掉。', doUnknown: '看一眼柜上的温度计并记下；叫技术员。', doOther: '到现场看一看。', goDo: '知道了，我去处理', day: '24 小时', door: '门', doorOpen: '门开着', doorShut: '门关着', gas: '燃气', gasAlarm: '燃气泄漏！关阀、开窗、离开。', gasFine: '没有泄漏', gasUnknown: '燃气传感器没有数据：去看一看。',
    none: '没有登记冷热柜', noneHow: '在 devices.toml 给设备写 keeps = "cold"、"frozen" 或 "hot"。', write: '写记录……', writeTitle: '写一条今天的记录', writePreview: '写入今天的食品安全记录，不能改、不能删。', what: '做了什么', choices: ['已移走食物', '已关门', '已检查，正常', '已重新加热', '已丢弃'], note: '补充', who: '姓名', save: '写入', saved: '已写入今天的记录。', whoMissing: '请写姓名。', whatMissing: '请选一项或写一句。', record: '今日记录（PDF）', since: '今天',
  },
  kiosks: {
    special: { 'paper.fault': '缺纸或卡纸', 'paper.warn': '纸快用完', 'toner.fault': '缺墨粉', 'toner.warn': '墨粉快用完' } as Record<string, string>, part: (part: string, state: string) => `${part}${state}`,
    title: '自助终端', services: { in_service: '可用', degraded: '部分可用', out_of_service: '不可用', maintenance: '维护中', offline: '没有联系' } as Record<string, string>, parts: { printer: '打印机', paper: '纸', toner: '墨粉', id_reader: '身份证阅读', card_reader: '读卡', scanner: '扫描', camera: '摄像头', touch: '触摸屏', network: '网络', upstream: '政务平台', cash: '现金', receipt: '凭条' } as Record<string, string>,
    partStates: { ok: '正常', busy: '在忙', warn: '快不行了', user_error: '等用户', fault: '坏了', absent: '没有', offline: '没有回应' } as Record<string, string>, matters: (offered: number, all: number) => `${offered} / ${all} 项可办`, allMatters: '全部事项可办', lacking: (count: number) => `${count} 项办不了`, today: '今天可用', days: '近 30 天', busy: '有人在用', idle: '空闲', none: '没有登记终端', noneHow: '在 devices.toml 里登记 class = "kiosk" 的设备。', notOffered: '现在办不了的事项', search: '查找事项', lacks: (part: string) => `缺 ${part}`, allFine: '所有事项都能办。', howTo: { paper: '去加纸。', toner: '换墨粉。', printer: '看打印机。', upstream: '政务平台不通，等待或报修。', other: '看一看机器，或报修。' } as Record<string, string>, offlineHow: '看电源和网线。', noDay: '无记录', dayOf: (day: string, share: string) => `${day}：${share}`,
  },
  rooms: {
    title: '房间与平战', stop: '停止', stopRoom: (name: string) => `停止：${name}`, stopped: '已停止', stopHint: '立即停止，全部输出回到安全状态', stageNames: { preview: '提出', notice: '预告', clearing: '清场', acting: '准备', checking: '验证', ready: '就绪', returning: '返回' } as Record<string, string>, stages: { peace: '平时', preview: '已提出', notice: '预告', clearing: '清场', acting: '准备', checking: '验证', ready: '就绪', degraded: '可用，有缺项', proving: '重新验证', held: '停住' } as Record<string, string>,
    fire: '消防盘', fireStates: { normal: '正常', alarm: '火警', unknown: '读不到' } as Record<string, string>, unproven: '未证实安全的输出', why: '为什么', ends: '怎样继续', waits: '等待', asked: '等人做', nobodyAsked: '现在没有人要做的事', peace: '平时用途', order: '命令', by: (time: string) => `预计 ${time} 就绪`, done: (done: number, count: number) => `${done} / ${count} 人完成`, plans: '预案', see: '看预案', planTitle: '预案', notNow: '现在会卡住它的', notNowNone: '现在没有会卡住它的。', unknownNow: '现在还不知道的', atMost: (span: string) => `最多 ${span}`, steps: '步骤', needs: (role: string, count: number) => `${role} ${count} 人`, device: '设备', process: '过程', verify: '验证', basis: '依据', enter: '转换', leave: '返回平时', logInFor: '登录后能看到为什么停住、等谁、并能停止。', none: '没有能转换用途的房间', noneHow: '在 plans/ 里放预案。', inService: '检修中', notInDemand: '这个房间没有转换', roles: { sampling_area: '采样区', command_room: '指挥室', supplies_warehouse: '物资仓', health_cabin: '健康小屋', reading_room: '阅览室', hall: '活动厅', kitchen: '厨房', service_hall: '政务服务', shelter: '安置点', isolation: '隔离点' } as Record<string, string>, people: { staff: '工作人员', site_lead: '站长', site_deputy: '副站长', commander: '指挥员', duty_officer: '值班员', volunteer: '志愿者' } as Record<string, string>,
  },
  devices: {
    title: '设备', lines: '线路', line: '线路', up: '通', down: '断', online: '在线', offline: '离线', unknown: '未知', devicesOn: (online: number, all: number) => `${online} / ${all} 台在线`, share: (percent: string) => `占线 ${percent}%`, requests: '请求', timeouts: '超时', refusals: '拒绝', garbled: '乱码', latency: '应答', opens: '重连', point: '点', value: '值', quality: '质量', age: '时间', trend: '趋势', error: '最近的错误', profile: '型号', none: '没有登记设备', noneHow: '在 devices.toml 里登记线路和设备。', pick: '点一台设备，看它的数值。', vital: '生命体征登录后才显示。', computed: '计算值', findings: '网关自检',
    quality_: { good: '良好', uncertain: '可疑', bad: '无效' } as Record<string, string>, reasons: { stale: '过时', no_value: '没有值', silent: '无应答', timeout: '无应答', line_down: '线路断', out_of_range: '超出范围', refused: '拒绝', sensor: '传感器坏' } as Record<string, string>,
  },
  trend: { hours1: '1 小时', hours24: '24 小时', days7: '7 天', table: '表格', chart: '曲线', time: '时间', mean: '平均', lowest: '最低', highest: '最高', none: '这段时间没有数据', label: (name: string) => `${name} 的趋势`, range: '时段' },
  points: {
    temperature: '温度', humidity: '湿度', co2: '二氧化碳', air_temperature: '空气温度', product_temperature: '食物温度', active_power: '功率', voltage: '电压', current: '电流', frequency: '频率', energy_import: '用电量', door: '门', door_open: '门', occupied: '有人', gas: '燃气', fan: '风机', lamp: '灯', counter: '计数', danger_time: '危险温度时间', unknown_time: '无温度时间', fire_alarm: '火警', egress_free: '出口', oxygen_saturation: '血氧', pulse_rate: '脉率', paper: '纸', printer: '打印机', speed: '转速', linkquality: '信号', uptime: '运行时间', power_factor: '功率因数', relay: '继电器', lamps: '紫外灯', set_point: '设定值', limit: '界限', alarm_threshold: '报警界限', fan_running: '风机运转', door_closed: '门已关', beyond: '超限', apparent_power: '视在功率', reactive_power: '无功功率', energy_export: '送电量', tamper: '防拆', irradiance: '紫外照射', gate_button: '开门按钮', lamp_interlock: '灯联锁',
  } as Record<string, string>,
  bools: {
    door: ['关着', '开着'], door_open: ['关着', '开着'], occupied: ['无人', '有人'], gas: ['正常', '泄漏'], fire_alarm: ['正常', '火警'], egress_free: ['堵塞', '畅通'], fan: ['关', '开'], lamp: ['关', '开'], lamps: ['关', '开'], relay: ['断开', '合上'], other: ['否', '是'],
  } as Record<string, [string, string]>,
};

/** Spans in words. */
const span = {
  zh: (seconds: number) => {
    if (seconds < 60) return `${Math.max(0, Math.round(seconds))} 秒`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} 分钟`;
    if (seconds < 86_400) {
      const minutes = Math.floor((seconds % 3600) / 60);
      return `${Math.floor(seconds / 3600)} 小时${minutes ? ` ${minutes} 分` : ''}`;
    }
    return `${Math.floor(seconds / 86_400)} 天`;
  },
};

export type Words = typeof zh;
