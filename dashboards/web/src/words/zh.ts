/** Chinese texts: the table that the others follow. */
export const zh = {
  language: '中文',
  otherLanguage: 'English',
  otherShort: 'EN',
  colon: '：',
  and: '、',
  app: {
    skip: '跳到内容', loading: '正在读取……', live: '实时', theme: '深色或浅色', language: '语言', logIn: '登录', lock: '锁定', logOut: '退出', lockedOf: (name: string) => `${name} · 已锁定`, waiting: '网关没有回应时自动重试。',
    notThis: '这个页面不归这个账号看', notThisHow: '换一个账号登录，或打开下面这一页。', notHere: (name: string) => `${name} 没有能看的页面`, notHereHow: '请管理员给一个角色，或点右上角退出，换人登录。',
    broken: '数据中断', brokenFor: (seconds: number) => `已 ${span.zh(seconds)}没有数据，正在自动重连`, noView: '没有这个页面',
    views: '页面', alarmsOpen: (count: number) => `${count} 条报警`, noAlarms: '无报警', more: '更多', close: '关闭', cancel: '取消', again: '再试一次',
    all: '全部', peace: '平时', drill: '演练', actual: '实战', framed: (word: string) => `【${word}】`,
  },
  views: { overview: '总览', cabin: '小屋', alarms: '报警', canteen: '食堂', kiosks: '终端', rooms: '房间', devices: '设备', system: '系统' },
  state: {
    emptyTitle: '这里还没有内容', error: '读取失败', forbidden: '不能看', forbiddenHow: '这个账号不能看这部分内容。', unreachable: '网关没有回应；网络恢复后自动重试。',
    stale: '数据已过时', none: '无数据', never: '还没有读到过', refused: (detail: string) => `没有成功：${detail}`,
  },
  time: {
    ago: (seconds: number) => (seconds < 5 ? '刚刚' : `${span.zh(seconds)}前`), left: (seconds: number) => `还有 ${span.zh(seconds)}`, span: (seconds: number) => span.zh(seconds),
    since: (time: string) => `${time} 起`,
  },
  hold: { hint: '按住 1 秒', key: '或按两次回车', keep: '继续按住……', once: '再按一次回车确认' },
  logIn: {
    titles: { unlock: '已锁定', badge: '刷工牌登录', password: '登录', setUp: '第一次登录', screen: '登记这块屏幕' }, acts: { unlock: '解锁', badge: '登录', password: '登录', setUp: '设置', screen: '登记' },
    why: {
      unlock: '一分钟没有人碰，屏幕就锁上了。', badge: '扫一下工牌，再输 PIN。', password: '用账号、密码和验证器上的六位数字。', setUp: '用管理员给的一次性代码设好密码（12 位以上）或 PIN（6 到 12 位数字）。', screen: '登记以后，这块屏幕不登录也能看现场、能停止房间；人用工牌登录。',
    },
    wrong: { unlock: 'PIN 不对，请再输一次。', badge: '工牌或 PIN 不对，请再试一次。', password: '账号、密码或数字不对，请再看一遍。', setUp: '代码不对，或已用过、已过期。请管理员再给一个。', screen: '代码不对，或已用过、已过期。请管理员再给一个。' },
    ways: { badge: '刷工牌', password: '账号和密码', setUp: '第一次登录', screen: '登记这块屏幕' }, others: '其他方式', change: '换人',
    locked: (name: string) => `${name}，请输 PIN`, name: '账号', password: '密码', code: '验证器上的六位数字', badge: '工牌', pin: 'PIN 码', enrolment: '一次性代码', newSecret: '新的密码或 PIN', screenCode: '屏幕代码', empty: '请先填完。',
    done: (account: string) => `${account} 已设好`, totpDone: '用验证器应用扫这个码，以后每次登录输它显示的六位数字。只显示这一次。', badgeDone: '这是工牌的内容：打印成二维码。只显示这一次。', goOn: '继续',
    pad: '数字键', clear: '清空', back: '删一位', visitors: '演示中心：点一个人，就以这个人的身份登录', orSelf: '或自己登录', roles: { health_worker: '健康小屋', canteen: '食堂', operator: '值班', technician: '技术', command: '指挥', auditor: '审计', admin: '管理' } as Record<string, string>,
    lacking: (name: string, what: string) => `${name} 不能${what}，请换一个可以的人登录。`,
    permissions: {
      view: '看现场', alarms: '处理报警', visits: '看健康数据', export: '导出', food: '写食堂记录', tasks: '执行任务', orders: '发指令', commands: '下发命令', service: '检修', nodes: '维护节点', configure: '重载配置', records: '看记录', accounts: '管账号', stop: '停止', own: '看自己的登录',
    },
  },
  demo: { button: '演示故障', faults: '让它出点事', faultsHow: '只有演示有。点一下就出事，再点一下就好；报警和各页面会跟着变。', on: '出事了', off: '正常', drill: '开始一场演练', drillHow: '陈站长和邓副站长下达演练指令：活动厅转为指挥室。以陈站长身份登录，在“房间”里完成任务；演练不会动任何设备。' },
  priority: { high: '高', medium: '中', low: '低' },
  overview: {
    calm: '今天没有事', trouble: (count: number) => `${count} 条报警要处理`, plan: '平面图', floor: (floor: number) => (floor < 0 ? `地下 ${-floor} 层` : `${floor} 层`),
    moreAlarms: (count: number) => `另有 ${count} 条`, canteen: '冷热柜合格', kiosks: '终端可用', visits: '小屋正在接待', district: '上传区平台', connected: '已连接', disconnected: '未连接',
    of: (good: number, all: number) => `${good} / ${all}`, people: '有人', nobody: '无人', peopleCount: (count: number) => `${count} 人`,
    room: '房间', devices: '设备', noDevices: '这个房间没有设备', noRooms: '还没有登记房间', noRoomsHow: '在 facility.toml 里写 [[room]]。', openRoom: (name: string) => `打开${name}`,
    gateway: '网关', ready: '正常', notReady: '不正常', first: '最早',
  },
  editor: {
    open: '画平面图……', title: '画平面图', how: (grid: number) => `拖动角，或选一个角用箭头每次移 ${grid} 米；靠近邻居的角会自动对齐。画好后把下面的文字抄进 facility.toml，再检查。`, floor: '楼层', corner: '角（米）', north: '往北移', south: '往南移', west: '往西移', east: '往东移', add: '加一个角', remove: '删这个角', undo: '撤销', redo: '重做', problems: { crosses: '边线交叉了：这样画不成房间。', small: '不到 1 平方米，点不到。', overlaps: '和别的房间重叠：可以挨着，不能重叠。' }, paste: '写进对应的 [[room]]，替换原来的 floor 和 outline：', copy: '复制', same: '还没有改动。',
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
  cabin: {
    signs: { pressure: '血压', pulse: '脉搏', saturation: '血氧', temperature: '体温', glucose: '血糖', body: '身高体重' } as Record<string, string>, quantities: { systolic: '收缩压', diastolic: '舒张压', mean_arterial: '平均压', pulse_rate: '脉搏', oxygen_saturation: '血氧', respiration_rate: '呼吸', temperature: '体温', weight: '体重', height: '身高', body_mass_index: '体质指数', glucose: '血糖' } as Record<string, string>,
    caveats: { body_movement: '体动', cuff_loose: '袖带松', irregular_pulse: '脉搏不齐', pulse_out_of_range: '脉率超出量程', improper_position: '体位不当', poor_signal: '信号差', low_perfusion: '灌注低', preliminary: '初步结果', questionable: '设备存疑', demonstration: '演示或测试', from_storage: '来自设备存储', unusual: '数值少见', inconsistent: '与同次读数矛盾', clock_skew: '设备时钟不准', corrected: '设备已更正', control_solution: '质控液', strip_error: '试纸错误', sample_too_small: '血量不足', device_fault: '设备故障', temperature_out_of_range: '环境温度超限', interrupted: '测量中断', time_unclear: '测量时间不明' } as Record<string, string>,
    unassigned: { no_room: '设备未登记房间', no_visit: '当时没有就诊', begun_before: '开始于就诊之前', two_visits: '两次就诊太近', time_unclear: '时间不明', other_patient: '指的是别人', other_room: '指的是另一间', several_patients: '指向多人', patient_unclear: '未说明是谁的', test: '测试或质控' } as Record<string, string>,
    statuses: { final: '设备所测', amended: '已认领或补充', corrected: '已更正', 'entered-in-error': '已撤销' } as Record<string, string>, endings: { completed: '已完成', abandoned: '已离开', timed_out: '超时自动结束', superseded: '下一位已开始' } as Record<string, string>,
    sexes: { female: '女', male: '男' } as Record<string, string>, conditions: { hypertension: '高血压', diabetes: '糖尿病' }, decisions: { repeat: '复测', refer: '转诊', handled: '已处理' }, glucoseTimes: { fasting: '空腹', after_meal: '餐后 2 小时', random: '随机' },
    byHand: '手工录入', notMeasured: '未测', meanOf: (count: number) => `${count} 次平均`, doubtful: (words: string) => `存疑：${words}`, repeat: '重测', measureAgain: '请再测一次；存疑的不参加平均。', before: (text: string, day: string) => `上次 ${text}（${day}）`,
    code: (code: string) => `编号 ${code}`, nobody: '无名', age: (age: number) => `${age} 岁`, since: (time: string) => `${time} 开始`, due: (condition: string, day: string, isOver: boolean) => `随访 ${condition}：${day} ${isOver ? '已过期' : '到期'}`, reveal: '看全名', sheet: '居民档案',
    guide: '重测血压', guideRest: (done: number, wanted: number, rest: string) => `血压 ${done}/${wanted} · 还要静坐 ${rest}`, guideNow: (nth: number, wanted: number) => `现在测第 ${nth}/${wanted} 次`, guideDone: (count: number) => `已测 ${count} 次 · 再来一组`, guideStop: '停止重测',
    startTitle: '这里没有人', startHow: '刷卡、扫健康码，或输入证件号、卡号后四位、姓名。', startField: '卡号、证件号、后四位或姓名', start: '开始', nameless: '无名开始', alreadyHere: '这位居民已经在这里。', startEmpty: '请先刷卡或输入。', wrongNumber: '身份证号不对：校验码不符，请再看一遍。', noKeys: '还没有设置密钥，只能无名就诊：见 linli visits keygen。', newResident: '登记新居民', registerPreview: '资料只加密保存在这台网关里。', name: '姓名', number: '身份证号、卡号或健康码', sex: '性别', birthYear: '出生年份', condition: '慢性病随访', consentVersion: '知情同意书版本', agreed: (version: string) => `居民已同意（${version}）`, nameMissing: '请填姓名。', wrongYear: '出生年份不对，例如 1949。', consentMissing: '请先征得居民同意。', find: '查找',
    unclaimed: '待认领', unclaimedHow: '无人的读数', noneUnclaimed: '没有待认领的读数', claim: '归本次', claimOf: (text: string) => `${text} 归本次就诊`, claimed: (text: string) => `已归本次：${text}`, undo: (left: number) => `撤销（${left}）`, claimWhy: '居民在场认领', undoWhy: '认领有误，撤销', beforeVisit: '早于本次就诊',
    enter: '手工录入', enterPreview: '没有连接的设备所测的，或写在纸上的。', save: '保存', what: '测什么', why: '原因', whyMissing: '请写原因。', glucoseTime: '何时采血', valueMissing: (what: string) => `请填数值：${what}`, valueImpossible: (what: string, least: number, most: number, unit: string) => `${what}只能在 ${least} 到 ${most} ${unit} 之间，请再看一遍。`,
    correct: '更正', correctAct: '保存更正', withdraw: '撤销这次测量', nothingMeasured: '还没有测量', end: '结束', endPreview: '就诊结束后，新的读数不再归这位居民。', endAct: '结束就诊', left: '居民已离开，没有测完', supersede: '换下一位？', supersedePreview: '这个房间里正在进行的就诊会结束，然后开始新的。',
    critical: '危急值', tooHigh: '过高', tooLow: '过低', moreCritical: (count: number) => `另有 ${count} 个`, limit: (limit: string, source: string) => `界限 ${limit} · ${source}`, readBack: '请照着念一遍，再输入这个数', readBackMissing: '请先输入看到的数。', underName: (name: string) => `以 ${name} 的名义记录。`, escalates: '没有人处理，会报警通知下一个人。',
    today: '今日', day: '今日名单', dayCounts: (all: number, done: number, open: number, critical: number, referred: number) => `${all} 人次 · 完成 ${done} · 进行中 ${open} · 危急值 ${critical} · 转诊 ${referred}`, running: '进行中', noVisits: '今天还没有人来', followUp: '随访', noFollowUp: '没有要随访的居民', noFollowUpHow: '登记居民时选高血压或糖尿病。',
    last: (value: string) => `最近 ${value}`, visits: (count: number) => `就诊 ${count} 次`, merge: '合并档案', mergeHow: '同一个人有两份档案时，把另一份并入这一份；可以拆开。', joined: (count: number) => `已并入 ${count} 份。`, mergeAct: (name: string) => `把 ${name} 并入这一份`,
    hidden: '居民资料已隐藏', hiddenHow: '一分钟没有人碰。点一下屏幕继续，填的内容还在。', rooms: '房间', noRooms: '没有健康小屋', noRoomsHow: '在 devices.toml 给 vital 类设备写 room。',
  },
  slip: {
    title: '结果单', preview: '只有测得的数值和二维码；不写姓名，除非选了姓名。', name: '姓名', namings: { none: '不写姓名', masked: '只写姓', full: '写全名' }, print: '打印', printing: '正在打印……', keep: '存为 PDF', cancel: '取消打印',
    states: { waiting: '等待打印机', sending: '正在发送', sent: '打印机已收到', printed: '已打印', cancelled: '已取消', failed: '没有打印' } as Record<string, string>,
  },
  canteen: {
    title: '食堂', good: '合格', tooWarm: '超温', tooCold: '过冷', notHot: '不够热', unknown: '没有数据', limitHigh: (limit: string) => `不高于 ${limit} °C`, limitLow: (limit: string) => `不低于 ${limit} °C`,
    between: (low: string, high: string) => `${low}–${high} °C`, danger: (minutes: string) => `危险温度 ${minutes} 分钟`, dangerWhat: '近 4 小时在 8–60 °C 的时间', keeps: { cold: '冷藏', frozen: '冷冻', hot: '热藏', samples: '留样', dish_machine: '洗碗机', steam: '蒸汽消毒', infrared: '红外消毒' } as Record<string, string>,
    doCold: '关好门；把食物移到别的冷柜。', doHot: '重新加热到 70 °C 以上，或扔掉。', doUnknown: '看一眼柜上的温度计并记下；叫技术员。', doOther: '到现场看一看。', goDo: '知道了，我去处理', day: '24 小时', door: '门', doorOpen: '门开着', doorShut: '门关着', gas: '燃气', gasAlarm: '燃气泄漏！关阀、开窗、离开。', gasFine: '没有泄漏', gasUnknown: '燃气传感器没有数据：去看一看。',
    none: '没有登记冷热柜', noneHow: '在 devices.toml 给设备写 keeps = "cold"、"frozen" 或 "hot"。', write: '写记录……', writeTitle: '写一条今天的记录', writePreview: '写入今天的食品安全记录，不能改、不能删。', what: '做了什么', choices: ['已移走食物', '已关门', '已检查，正常', '已重新加热', '已丢弃'], note: '补充', who: '姓名', save: '写入', saved: '已写入今天的记录。', whoMissing: '请写姓名。', whatMissing: '请选一项或写一句。', record: '今日记录（PDF）', since: '今天',
  },
  week: {
    title: '一周', since: (span: string) => `最近 ${span}的统计`, perHour: '每小时报警', fine: '人应付得来', tooMany: '太多，人应付不来', raised: '报警次数', shares: (high: string, medium: string, low: string) => `高 ${high} · 中 ${medium} · 低 ${low}`, floods: '报警成片', floodsHow: '10 分钟内 10 次以上', stale: '久不消失', staleHow: '一直报了 24 小时以上', chattering: '反复跳动', chatteringHow: '一分钟内报了 3 次', often: '最常报的', times: (count: number) => `${count} 次`, source: '按 ISA-18.2 第 16 章：每小时 6 次以内多半可以接受；最常报的几条先整治。',
  },
  samples: {
    title: '留样', none: '现在没有留样。', noPlace: '没有登记留样柜：请技术员在 devices.toml 给留样柜写 keeps = "samples"。', retain: '留样……', retainPreview: '每样不少于 125 克，冷藏 48 小时以上；到时提醒销毁。', food: '哪样食物', foodMissing: '请写食物名称。', meal: '哪一餐', meals: ['早餐', '午餐', '晚餐'], grams: '多少克', tooLittle: '不够：每样至少 125 克。', where: '放在哪里', of: (grams: number, cabinet: string, by: string) => `${grams} 克 · ${cabinet} · ${by}`, left: (hours: number) => `还要留 ${hours} 小时`, due: '已满 48 小时，可以销毁', destroy: '销毁……', destroyAct: '已销毁', duePreview: '倒掉、洗净容器。这条记录不会删除。', earlyPreview: '还没满 48 小时：出了食物中毒就没有样品可查。确实要提前销毁，请写原因。', whyMissing: '提前销毁要写原因。',
  },
  sheets: {
    span: '看哪一段', spans: { day: '这一天', week: '这一周', month: '这个月' }, csv: 'CSV 表格', title: '食品安全日记录', counts: (week: number, month: number, days: number) => `近 7 天签了 ${week} 天，近 ${days} 天签了 ${month} 天`, signedOn: (day: string, by: string) => `${day}，${by} 已签`, notSigned: (day: string) => `${day}，没有签`, by: (by: string) => `${by} 已签`, open: '还没有签', pdf: '这一天的 PDF', sign: '签字……', signTitle: (day: string) => `签 ${day} 的记录`, signPreview: '签了就封存这一天的温度、留样、处理和报警；以后改一个字都能查出来。', signAct: '签字', remark: '备注',
  },
  kiosks: {
    special: { 'paper.fault': '缺纸或卡纸', 'paper.warn': '纸快用完', 'toner.fault': '缺墨粉', 'toner.warn': '墨粉快用完' } as Record<string, string>, part: (part: string, state: string) => `${part}${state}`,
    title: '自助终端', services: { in_service: '可用', degraded: '部分可用', out_of_service: '不可用', maintenance: '维护中', offline: '没有联系' } as Record<string, string>, parts: { printer: '打印机', paper: '纸', toner: '墨粉', id_reader: '身份证阅读', card_reader: '读卡', scanner: '扫描', camera: '摄像头', touch: '触摸屏', network: '网络', upstream: '政务平台', cash: '现金', receipt: '凭条' } as Record<string, string>,
    partStates: { ok: '正常', busy: '在忙', warn: '快不行了', user_error: '等用户', fault: '坏了', absent: '没有', offline: '没有回应' } as Record<string, string>, matters: (offered: number, all: number) => `${offered} / ${all} 项可办`, allMatters: '全部事项可办', lacking: (count: number) => `${count} 项办不了`, today: '今天可用', days: '近 30 天', busy: '有人在用', idle: '空闲', none: '没有登记终端', noneHow: '在 devices.toml 里登记 class = "kiosk" 的设备。', notOffered: '现在办不了的事项', search: '查找事项', lacks: (part: string) => `缺 ${part}`, allFine: '所有事项都能办。', howTo: { paper: '去加纸。', toner: '换墨粉。', printer: '看打印机。', upstream: '政务平台不通，等待或报修。', other: '看一看机器，或报修。' } as Record<string, string>, offlineHow: '看电源和网线。', noDay: '无记录', dayOf: (day: string, share: string) => `${day}：${share}`,
  },
  kioskNotes: {
    title: '备注和停用', none: '还没有备注。', write: '写备注或停用……', text: '写什么（谁要看、做了什么、等什么）', empty: '请写一句话。', out: '同时停用多久', spans: { none: '不停用', '2h': '2 小时', '8h': '8 小时', '1d': '1 天', '7d': '7 天', '30d': '30 天' },
    noteHow: '备注和写的人都会留着，终端页和总览看得到。', outHow: '到时间自动恢复；停用期间算维护，不算故障。', save: '写下', outUntil: (time: string) => `停用到 ${time}`, until: (time: string) => `停用到 ${time}`, hint: (name: string, time: string) => `${name}停用到 ${time}`, back: '恢复使用', backTitle: (name: string) => `恢复 ${name}？`, backHow: '马上按它自己报告的状态显示；谁恢复的会记下来。', backBy: (by: string, time: string) => `${by} ${time} 恢复`,
  },
  weeks: { title: '按周（只算开放时间）', from: '周一', share: '可用', out: '停用', maintenance: '维护', offline: '没有联系', no: '无' },
  rooms: {
    title: '房间与平战', operations: { commit: '现在开始', confirm: '我已完成', cannot: '做不了', retry: '再试一次', waive: '豁免', resume: '继续', reject: '退回', simulate: '只是演示', alternate: '改用备用房间' }, leadsTo: { commit: '不等预告时间，现在就开始清场和准备；随时可以停止。', confirm: '确认这件事你亲眼看过、已经做完；房间接着走下一步。', cannot: '如实报告做不了；由负责人决定重试、豁免或换房间。', retry: '设备再做一次并读回。', waive: '这一步先不做；到时失效，房间回到“有缺项”。', resume: '从没有证实安全的输出开始，重新执行；随时可以停止。', reject: '验收不合格：从第一步起重新检查，已经做好的会被认出来。', simulate: '演练里没有真做，如实记为“模拟”；它不能证明什么。', alternate: '这个房间不能用，改用备用的房间；原因会记下来。' }, reason: '原因', whyMissing: '请写原因，接手的人要看。', waiveFor: '豁免多久', spans: { '1h': '1 小时', '2h': '2 小时', '8h': '8 小时', '24h': '24 小时' }, underName: (name: string) => `以 ${name} 的名义记入平战记录。`, stop: '停止', stopRoom: (name: string) => `停止：${name}`, stopped: '已停止', stopHint: '立即停止，全部输出回到安全状态', stageNames: { preview: '提出', notice: '预告', clearing: '清场', acting: '准备', checking: '验证', ready: '就绪', returning: '返回' } as Record<string, string>, stages: { peace: '平时', preview: '已提出', notice: '预告', clearing: '清场', acting: '准备', checking: '验证', ready: '就绪', degraded: '可用，有缺项', proving: '重新验证', held: '停住' } as Record<string, string>,
    fire: '消防盘', fireStates: { normal: '正常', alarm: '火警', unknown: '读不到' } as Record<string, string>, unproven: '未证实安全的输出', why: '为什么', ends: '怎样继续', waits: '等待', asked: '等人做', nobodyAsked: '现在没有人要做的事', peace: '平时用途', order: '命令', by: (time: string) => `预计 ${time} 就绪`, done: (done: number, count: number) => `${done} / ${count} 人完成`, plans: '预案', see: '看预案', planTitle: '预案', notNow: '现在会卡住它的', notNowNone: '现在没有会卡住它的。', unknownNow: '现在还不知道的', atMost: (span: string) => `最多 ${span}`, steps: '步骤', needs: (role: string, count: number) => `${role} ${count} 人`, device: '设备', process: '过程', verify: '验证', basis: '依据', enter: '转换', leave: '返回平时', none: '没有能转换用途的房间', noneHow: '在 plans/ 里放预案。', inService: '检修中', notInDemand: '这个房间没有转换', roles: { sampling_area: '采样区', command_room: '指挥室', supplies_warehouse: '物资仓', health_cabin: '健康小屋', reading_room: '阅览室', hall: '活动厅', kitchen: '厨房', service_hall: '政务服务', shelter: '安置点', isolation: '隔离点' } as Record<string, string>, people: { staff: '工作人员', site_lead: '站长', site_deputy: '副站长', commander: '指挥员', duty_officer: '值班员', volunteer: '志愿者' } as Record<string, string>,
  },
  orders: {
    startDrill: '演练', drillHow: '不动设备，用演练密钥', startActual: '实战发起', actualHow: '真的转换房间，用实战密钥', kinds: { Enter: '转换', Return: '返回平时', Cancel: '取消', Amend: '变更', StandDown: '解除', Stop: '停止' } as Record<string, string>, sum: (steps: number, devices: number, people: number) => `${steps} 步，动 ${devices} 次设备，最多同时 ${people} 人`,
    unknown: '还不知道', notSo: '现在不是', stopsHow: '预案自己会做到的不在其中。“现在不是”的要有人去做到，“还不知道”的先查传感器。', code: '核对码', first: '还没有人签。你签后，另一个人看同一份预案，再签一次才生效。', signedBy: (names: string) => `已签：${names}`, waitsForSecond: '已签，等另一个人复核', waitsHow: (code: string) => `请另一位负责人用自己的账号登录，在“房间”里复核；核对码 ${code}，两分钟内有效。`, cannotDraft: '不能发起',
    initiate: '发起', review: '复核并下达', reviewAct: '查看并复核', key: '签名密钥', keyFile: '选择密钥文件……', keyThere: '密钥已就绪', paste: '粘贴密钥', keyText: '密钥文本', keyHow: '密钥只在这台设备上用一次，不上传、不保存。', password: '再输入一次密码或 PIN', passwordMissing: '复核的人要再输入一次自己的密码。', notYours: '这份指令由另一个人签：请另一位负责人登录。', cannot: { none: '请先选择密钥文件。', notAKey: '这不是密钥文件：应以 ed25519-secret: 开头。', notYours: '这把密钥不是你的，或不是这一类指令的：演练和实战各有一把。', browser: '这个浏览器不能签名：请用较新的浏览器经 https 打开，或导入签好的指令。' },
    waiting: '待复核的指令', late: '已超过两分钟，从头签', withdraw: '撤回', returnAct: '返回平时……', cancelAct: '取消指令……', toCompare: '等待核对的指令', compare: '核对代码', compareHow: '打电话问下达指令的人，把对方念的代码输入下面；两个人各核对一次。', compareAct: '代码一致', codeTold: '对方念的代码', codeWrong: '和这份指令的代码不一样：不要执行，再问一遍。',
    results: { accepted: '已接受，开始执行', refused: '没有接受', quarantined: '等两个人核对代码', repeated: '同一份指令，早已执行', proposal: '这是预警信息，不是指令', dropped: '太多，没有处理' } as Record<string, string>, resultHow: { accepted: '看各房间走到哪一步；随时可以停止。', refused: '什么都没有动。', quarantined: '网关不敢确定时间或编号：打电话给下达的人，核对下面的代码。', repeated: '什么都没有再动。', proposal: '已记录；要不要行动由两个人决定。', dropped: '请再发一次。' } as Record<string, string>,
    proposal: '预警建议', proposalHow: '只是建议，什么都不会动', proposalLong: '预警信息自己不动任何东西，不管谁签的。要行动，就选一个房间，由两个人签一份指令。', from: (sender: string) => `来自 ${sender}`, look: '看一看', identifier: '编号', sender: '发送者', cameBy: '来路', byNetwork: '区平台网络', signature: '签名', unsigned: '不验证：来源要自己核实', proposes: '建议', nothing: '只通报，不建议行动',
    import: '导入指令', importHow: '签好的指令可以是 U 盘上的文件，也可以是打印的文字或二维码。', importFile: '选择文件……', importCamera: '扫描二维码', importText: '或粘贴、键入文字（LLN1: 开头）', importAct: '交给网关', importEmpty: '请先粘贴或选择指令。', noCamera: '摄像头打不开：请允许使用，或改用文件、粘贴。',
    reportDrill: '演练报告（PDF）', reportActual: '实战报告（PDF）', noReport: '还没有这样的指令，没有报告。',
  },
  notices: {
    open: '通知', title: '通知了谁', screens: '这里的屏幕', screensHow: '打开着的页面和墙上的屏幕立刻显示', siren: (name: string) => `警号：${name}`, sirenHow: '没人确认时响，到时自己停',
    district: '区平台', noDistrict: '没有配置上传', districtOn: '已连接，随时送达', districtOff: (count: number) => `没有连接，${count} 条在等；连上后补送`,
    results: { waiting: '等着发', delivered: '已送到', failing: '没有送到，还在试', dropped: '等得太多，放弃了' }, again: '没人确认，再次通知', attempts: (count: number) => `试了 ${count} 次`, notBefore: (time: string) => `安静时段，${time} 后发`,
    next: (receiver: string) => `接下来：${receiver}`, nextAt: (time: string, span: string) => `${time} 还没人确认就再通知（还有 ${span}）`, nextNow: '马上再次通知', nobody: '没有登记这一级报警的接收方：在 alarms.toml 里写 [[webhook]]。', notYet: (names: string) => `还没有通知过；会通知 ${names}。`,
  },
  system: {
    title: '系统', gateway: '网关', version: '版本', runningFor: '已运行', fallback: '磁盘上的配置有错，正在用上一份正确的配置。运行 linli check 看错在哪里。',
    uplink: '上传区平台', broker: '服务器', since: '自', sent: '已送达', waiting: '等待上传', dead: '送不出的', deadHow: '服务器拒收的消息单独保存，不会丢；请技术员看服务器的大小和权限限制。',
    store: '存储', writable: '能写入', notWritable: '写不进去', used: (used: string, max: string) => `已用 ${used} MB，共 ${max} MB`, lost: '因存满而丢弃', lostHow: '丢弃的数据记在损失账里，区平台看得到缺了哪一段。', refused: '没有收下',
    accounts: '账号', noAccounts: '还没有账号。', self: '自己', states: { invited: '等本人设置', expired: '代码已过期', active: '可登录', disabled: '已停用' }, add: '加一个人……',
    addTitle: '加一个人', addWhy: '会得到一个一次性代码，24 小时内有效。本人用它设自己的密码或 PIN。', addAct: '要代码', addName: '账号（小写字母和数字）', addRoles: '角色', addEmpty: '请写账号，至少选一个角色。',
    roleMay: { health_worker: '看诊、测量、导出', canteen: '留样、冷却、日记录', operator: '执行任务、确认现场指令', technician: '设备、检修、配置', command: '发指令、确认指令', auditor: '只看记录', admin: '账号、屏幕；看不到健康数据' },
    person: '本人', state: '状态', logIn: '登录方式', logIns: { password: '密码加六位数字', badge: '工牌加 PIN' }, open: '正在登录', selfHow: '自己的账号不能自己停用或重置。', reset: '重置，给新代码', resetWhy: '忘了密码、丢了工牌或手机：旧的立刻失效，给一个新的一次性代码。', disable: '停用', disableWhy: '停用后立刻退出所有登录，不能再登录；记录里的名字不变。', enable: '恢复', enableWhy: '恢复后用原来的密码或工牌登录。',
    issued: { account: (name: string) => `${name} 的一次性代码`, screen: (name: string) => `屏幕 ${name} 的代码`, sealed: () => '应急代码' }, issuedHow: { account: '交给本人，在登录页选“第一次登录”。24 小时内有效，只显示这一次。', screen: '在那块屏幕的登录页选“登记这块屏幕”。1 小时内有效，只显示这一次。', sealed: '抄写或打印，封好，放在上锁的柜子里。每个只能用一次，只显示这一次。' }, written: '已记下',
    screens: '已登记的屏幕', noScreens: '还没有登记屏幕。', enrolled: '已登记', notEnrolled: '等登记', enrol: '登记一块屏幕……', enrolTitle: '登记一块屏幕', enrolWhy: '登记后的屏幕不登录也能看现场、能停止房间；人在上面用工牌和 PIN 登录。', enrolAct: '要代码', screenName: '屏幕名（小写字母和数字）', room: '在哪个房间', remove: '移除', removeTitle: (screen: string) => `移除屏幕 ${screen}？`, removeWhy: '它立刻不能再看现场，上面的登录也结束。',
    sealed: '应急代码', unused: (count: number) => (count ? `还有 ${count} 个没用过` : '一个也没有：请现在做一份'), sealedWhy: '登录坏了那天用：值班、技术、管理的权限，一小时，看不到健康数据；一用就报警。', seal: (count: number) => `做 ${count} 个新的`, sealPreview: '以前的应急代码全部作废。',
    records: '记录', recordsHow: '每份记录一行一条，前后用哈希连起来，改一个字都能查出来：linli audit verify。', recordNames: { mode: '平战记录', accounts: '登录记录', nodes: '节点记录', access: '健康数据查阅', alarms: '报警处理' }, taking: '正在取……',
  },
  upkeep: {
    certificate: '证书', days: (days: number) => (days < 0 ? '已过期' : `还有 ${days} 天`), byItself: (day: string) => `到 ${day} 自动换新，屏幕和终端不用再动。`, byPerson: '这张证书是外面签的，到期前要有人换：linli tls import。', until: '有效到', untilDay: (day: string) => `到 ${day}`, names: '用于', authority: '本站的证书机构', fingerprint: '证书指纹', fingerprintHow: '第一次在屏幕或终端上信任本站时，把那边显示的指纹和下面的对一对，一样才点信任。',
    clock: '时钟', clocks: { synchronised: '已对时', free_running: '没有对时', unset: '时间肯定不对' }, now: '现在', zone: '时区', clockHow: '查 NTP 服务器和网络；没有对时的数据都会注明。',
    size: (megabytes: string) => `${megabytes} MB`, backup: '备份', noCopy: '还没有备份', last: (ago: string) => `上一份：${ago}`, copying: (megabytes: string) => `正在备份，已写 ${megabytes} MB`, failed: '备份没有做成', backUp: '现在备份……', backUpAct: '开始备份', backUpHow: '把数据库完整拷一份在网关自己的磁盘上，拷完检查；照常运行，不停任何东西。留最新三份，记录里写明是谁做的。', away: '怎样拿走、怎样恢复', awayHow: (folder: string) => `磁盘坏了，同一块磁盘上的备份也没了：在机器上运行 linli backup /media/usb/linli.db 拷到 U 盘，和 residents 目录一起另存。这里的备份在 ${folder}。恢复：停下网关，用备份换掉数据库，删去旁边的 -wal 和 -shm，保留 .orders，再启动。`,
    measuring: '正在测每天用多少，要十分钟', lasts: (days: number) => (days < 1 ? '照今天的速度，不到一天就要腾地方' : `照今天的速度，还能存 ${days} 天`), lastsLong: '照今天的速度，不会存满', isFull: '已存满，正在腾地方', rate: (megabytes: string, span: string) => `每天 ${megabytes} MB（按最近 ${span}）`, givesWay: '满了先让位的', neverGives: '。本机留存的就诊、测量和平战记录不让位。', kinds: { history: '旧趋势', data: '最旧的普通数据', urgent: '最旧的、还没送出的紧急数据' } as Record<string, string>,
    licences: '第三方声明', licencesHow: '网关用了别人的软件；每一件的版本、许可和作者在这里。', licencesAct: '查看', find: '查找名称或许可', found: (found: number, all: number) => `${found} / ${all} 件`,
  },
  devices: {
    title: '设备', lines: '线路', line: '线路', up: '通', down: '断', online: '在线', offline: '离线', unknown: '未知', devicesOn: (online: number, all: number) => `${online} / ${all} 台在线`, share: (percent: string) => `占线 ${percent}%`, requests: '请求', timeouts: '超时', refusals: '拒绝', garbled: '乱码', latency: '应答', opens: '重连', point: '点', value: '值', quality: '质量', age: '时间', trend: '趋势', error: '最近的错误', profile: '型号', none: '没有登记设备', noneHow: '在 devices.toml 里登记线路和设备。', pick: '点一台设备，看它的数值。', vital: '生命体征登录后才显示。', computed: '计算值', findings: '网关自检',
    quality_: { good: '良好', uncertain: '可疑', bad: '无效' } as Record<string, string>, reasons: { stale: '过时', no_value: '没有值', silent: '无应答', timeout: '无应答', line_down: '线路断', out_of_range: '超出范围', refused: '拒绝', sensor: '传感器坏' } as Record<string, string>,
  },
  exchange: {
    title: '最近的报文', request: '发出', answer: '收到', nothing: '什么也没收到', none: '还没有问过它。', hidden: '生命体征是个人数据，报文不显示。', copy: '复制报文',
    outcomes: { good: '正常', silent: '没有应答', garbled: '应答损坏', refused: '拒绝，异常码', not_reached: '网关到不了，异常码', other_unit: '别的站号应答', down: '连接断了' } as Record<string, string>,
    paused: (span: string) => `已暂停轮询 ${span}。`, next: (span: string) => `${span}后再问一次，平时越断越久，最长一分钟。`, nextSoon: '马上再问一次。', retry: '现在就问', asking: '正在问……', back: '有应答了，恢复轮询。', stillAway: '还是没有应答。', failures: (count: number) => `连续失败 ${count} 次；三次就暂停。`,
  },
  tech: {
    scan: '扫描线路', scanHow: '在轮询的间隙逐个问单元号，只读一个寄存器，不改任何东西。', first: '从', last: '到', scanAct: '开始扫描', scanned: (at: number, last: number, found: number) => `问到 ${at} / ${last}，找到 ${found} 个`, unitsWrong: '单元号是 1 至 247，先小后大。', nobody: '没有单元应答', nobodyHow: '查波特率、校验位、A/B 线和终端电阻，再扫一次。', unit: (unit: number) => `单元 ${unit}`, isDevice: (device: string) => `已登记：${device}`, isNew: '新的，有应答', garbled: '应答有乱码：两个单元同号，或线路参数不对', refuses: '有应答，地址 0 没有内容', maybe: (profiles: string) => `像是 ${profiles}`, copyError: '复制错误', copyEntry: '复制这段登记', copied: '已复制',
    probe: '读一段寄存器', table: '哪一种', tables: { holding: '保持 03', input: '输入 04', coil: '线圈 01', discrete: '离散 02' }, unitId: '单元号', start: '起始地址', count: '个数', read: '读取', address: '地址', hex: '十六进制', unsigned: '无符号', signedWord: '有符号',
    configuration: '配置', good: '磁盘上的配置正确', problems: (count: number) => `${count} 处要改`, atLine: (line: number) => ` 第 ${line} 行`, wouldChange: '重新加载会改', reloaded: '已重新加载。', checkAct: '再检查', reload: '重新加载……', reloadAct: '重新加载', support: '下载支持文件', supportHow: '支持文件里没有居民资料、没有数值、没有人名，可以发给帮忙的人。',
    node: '节点', firmware: '固件', slot: '启动', serial: '序列号', board: '板子', uptime: '已运行', updateState: '升级', selftest: '自检', selftestAct: '自检', testing: '正在自检……', update: '升级', updateHow: (file: string) => `用 ${file} 升级：线路照常轮询；新固件先试用，连不上就自己退回旧的。`, updateAct: '开始升级', percent: (share: number) => `已传 ${Math.round(share)}%`, results: { done: '升级完成', already: '已是这个版本', failed: '没有成功，旧固件还在', refused: '没有接受', stopped: '停下了' } as Record<string, string>, log: '日志', keep: '留用新固件', trialHow: (seconds: number) => `新固件试用中，还有 ${Math.round(seconds)} 秒；没人确认就退回旧的。`,
    label: '打印标签', print: '打印', letters: '平台拒收的记录', lettersNone: '没有被拒收的。', sendAgain: '重发', sentAgain: '已重发', letter: (of: string, time: string) => `${of} · ${time}`, undecodable: '读不出的一条', oldest: '最久的已等',
  },
  trend: { hours1: '1 小时', hours24: '24 小时', days7: '7 天', days30: '30 天', days90: '90 天', compare: '比较……', compareWith: '和哪一个比', noCompare: '不比较', save: '存为 CSV', limit: (text: string) => `界限 ${text}`, table: '表格', chart: '曲线', time: '时间', mean: '平均', lowest: '最低', highest: '最高', none: '这段时间没有数据', label: (name: string) => `${name} 的趋势`, range: '时段' },
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
