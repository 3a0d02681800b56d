/** Chinese texts of the district: the table that the others follow. */
import { shared, span } from 'web/words/shared/zh.ts';

export const zh = {
  ...shared,
  otherShort: 'EN',
  colon: '：',
  and: '、',
  app: {
    title: '邻里区级平台', skip: '跳到内容', views: '页面', loading: '正在读取……', waiting: '服务器没有回应时自动重试。', language: '语言', theme: '深色或浅色', live: '实时',
    broken: '数据中断', brokenFor: (seconds: number) => `已 ${span(seconds)}没有数据，正在自动重连；下面是中断前的`, noView: '没有这个页面', close: '关闭', cancel: '取消', back: '返回', more: (count: number) => `再显示 ${count} 个`,
    forbidden: '这个账号不能看这部分', forbiddenHow: '请管理员给一个角色，或退出后换人登录。', missing: '没有找到', missingHow: '可能已撤销，或地址写错了。', peace: '平时', drill: '演练', actual: '实战', unknown: '未知', all: '全部', logIn: '登录', logOut: '退出', copy: '复制', copied: '已复制', unreachable: '服务器没有回应，请再试一次。',
    centresInDrill: (count: number) => `演练 ${count}`, centresInActual: (count: number) => `实战 ${count}`, alarmsOpen: (count: number) => `${count} 条报警`, noAlarms: '无报警', notRead: '还没有读到',
  },
  views: { map: '地图', alarms: '报警', rank: '排名', orders: '指令', aside: '搁置', accounts: '管理' },
  admin: { label: '管理', accounts: '账号', gateways: '网关登记', record: '审计记录' },
  map: {
    title: '全区', label: '中心地图', how: '拖动移动，滚轮或双指缩放；键盘用方向键、加号、减号、0。', zoomIn: '放大', zoomOut: '缩小', fit: '看全区', search: '查找中心：名称、编号、电话', found: (count: number) => `找到 ${count} 个`, none: '没有符合的中心', noneHow: '换一个词，或选“全部”。', empty: '还没有登记中心', emptyHow: '运行 linli-district centre add。',
    show: '显示哪些', only: { all: '全部', alarm: '有报警', silent: '无联系', gaps: '缺数据', moved: '演练或实战' }, layout: '列表或网格', list: '列表', grid: '网格', group: (count: number) => `${count} 个中心在这里`, groupOf: (count: number, bad: number) => (bad ? `${count} 个中心，${bad} 个要看` : `${count} 个中心`), ungroup: '看全部', noPlace: (count: number) => `${count} 个没有位置，只在列表里`,
    sum: (count: number) => `${count} 个中心`, calm: '都没有报警', sumSilent: (count: number) => `无联系 ${count}`, sumAlarms: (count: number) => `报警 ${count}`, sumGaps: (count: number) => `缺数据 ${count}`,
  },
  tones: { high: '高级报警', medium: '中级报警', low: '低级报警', silent: '无联系', gaps: '数据不全', never: '没有数据', calm: '无报警' },
  centre: {
    heard: (ago: string) => `${ago}有数据`, never: '从未收到', online: '在线', offline: '离线', kiosks: '终端可用', food: '食品设备正常', vitals: '今日测量', of: (good: number, all: number) => `${good} / ${all}`, times: (count: number) => `${count} 次`, complete: '数据完整', missing: (count: number) => `缺 ${count} 条`, lost: (count: number) => `丢失 ${count} 条`, noData: '还没有数据',
    doubled: '两台网关用同一个名字', completeness: '数据', alarms: '报警', noAlarms: '没有报警', rooms: '房间', devices: '设备', noDevices: '没有设备', open: '打开中心', gateway: (id: string, version: string) => `网关 ${id}${version ? ` · 版本 ${version}` : ''}`, call: '打电话', report: '月报', since: (ago: string) => ago, trendOf: '看趋势', old: (ago: string) => `${ago}的值`, none: '——', quality: '质量',
    last: (mode: string) => `最后报告：${mode}`, gaps: '缺口', gapFrom: '从', gapTo: '到', gapCount: '条数', epoch: '数据库', noGaps: '没有缺口', gapsHow: '缺的条目还在网关里，会补来；丢失的由网关的损失账说明。', mode: '模式', silentHow: '下面是它最后报告的，不一定还是这样。', highest: (count: number) => `共 ${count} 条`, vitalsHow: '区级只看次数，看不到数值和人。',
    classes: { telemetry: '环境', food_safety: '食品', kiosk: '自助终端', vital: '健康', safety: '安全', actuator: '执行器', meter: '计量' } as Record<string, string>,
    qualities: { bad: '无效', uncertain: '可疑' } as Record<string, string>,
  },
  alarms: {
    title: '全区报警', none: '没有报警', noneHow: '各中心报告的报警都已恢复。', search: '查找：内容、中心、设备', filter: '优先级', raised: (ago: string) => `${ago}发生`, state: { unacknowledged: '没人处理', acknowledged: '有人处理', returned_unacknowledged: '已恢复，待确认', latched_unacknowledged: '已恢复，待确认', latched_acknowledged: '待复位', shelved: '已搁置', suppressed: '按设计停用', out_of_service: '停用' } as Record<string, string>,
    fromSilent: '中心无联系，可能已变', notKnown: (count: number) => `${count} 个中心无联系或缺数据：那里有没有别的报警，还不知道。`, none_: '没有符合的报警', noneHow_: '换一个词或优先级。', listLabel: '报警列表',
  },
  rank: {
    title: '比较和排名', figure: '按什么排', figures: { alarms: '报警', silence: '无联系时间', missing: '缺数据', kiosks: '停用终端', food: '食品异常', vitals: '今日测量' }, how: '选 2 至 4 个中心并排比较。', compare: '比较', of: (count: number) => `已选 ${count} 个`, pick: (name: string) => `比较：${name}`, clear: '清除', median: (text: string) => `中位数 ${text}`, notKnown: '没有数据，不参加排名', centre: '中心', chart: '同一测点的趋势', point: '测点', noPoint: '这些中心没有相同的测点。', place: '名次', tooMany: '最多选 4 个；先清除一个。',
  },
  report: {
    title: '月报', month: '月份', before: '上个月', after: '下个月', pdf: '下载 PDF', csv: '下载 CSV', none: '这个月没有数据', noneHow: '换一个月看看。', noData: '无数据：那天什么都没收到，不等于没有事', unknown: '未知', sumOf: (days: number) => `${days} 天合计`, without: (days: number) => `有 ${days} 天没有数据，不知道那几天的情况；合计不包括它们。`, day: '日', messages: '消息', samples: '数值', high: '高', medium: '中', low: '低', food: '食品报警', modes: '模式变化', orders: '指令', vitals: '测量次数', sum: '合计', arrived: '收到', missing: '缺', lost: '丢失', ordersTitle: '这个月的指令', made: (time: string, zone: string) => `${time} 生成，按 ${zone} 的日期`,
  },
  orders: {
    title: '批量指令', none: '还没有批量指令', noneHow: '准备一份：先选模板和中心，由指挥签名，再导入。', prepare: '准备一份……', number: (number: number) => `第 ${number} 号`, states: { prepared: '已准备，等复核', approved_once: '一人已复核，等另一人', released: '正在发放', complete: '已全部发出', stopped: '已停发', expired: '已过期' } as Record<string, string>, madeBy: (who: string, when: string) => `${who} 准备 · ${when}`, expires: (left: string) => `有效期${left}`, expired: '已过期',
    sums: { accepted: '已接受', not_accepted: '未接受', silent: '未回应', waits: '待发放', due: '发送中' }, of: (count: number, all: number) => `${count} / ${all}`,
    write: '1. 写指令', writeHow: '平台不持有签名密钥。选好后，在指挥的签名机上运行下面的命令，由两个人签名。', kind: '做什么', kinds_: { enter: '转换', return: '返回平时', cancel: '取消', stop: '停止' }, class: '类别', classes: { Exercise: '演练', Actual: '实战' } as Record<string, string>, template: '模板', plan: '各中心的预案文件', supersedes: '取消哪一份（编号）', choose: '中心', chosen: (count: number) => `已选 ${count} 个`, chooseAll: '全选', chooseNone: '都不选', wouldStop: '现在的情况', ready: '可以执行', readyOf: (ready: number, all: number) => `${ready} / ${all} 可以执行`, noneChosen: '请先选至少一个中心。', noPlan: '请写预案文件的路径，如 plans/enter.toml。', noSupersedes: '请写要取消的指令编号。', classFirst: '请选演练还是实战。',
    command: '在签名机上运行', import: '2. 导入签好的指令', importHow: '签好的文件，或打印的文字（LLN1: 开头）。网关自己验证签名；平台不能改一个字。', file: '选择文件……', paste: '或粘贴文字', importAct: '导入并预览', importEmpty: '请先选择文件或粘贴文字。', onlyChosen: (count: number) => `只发给上面选的 ${count} 个中心`, fileBig: '文件太大：一份指令不超过 256 kB。请按中心分成几份，分别签名后再导入。',
    hindrances: { offline: '无联系', no_report: '从未报告', other_order: '正在执行另一份', high_alarm: '有高级报警', doubled: '两台网关同名', no_rooms: '没有报告房间', stale: '报告过时', revoked: '已撤销', too_large: '程序太旧，读不了这么长的指令' } as Record<string, string>,
    preview: '每个中心现在的情况', previewed: (ago: string) => `${ago}看过的预览`, again: '重新看一遍', againHow: '情况变了：重新看一遍后，前面的复核作废。', approve: '复核……', approveFirst: '第一人复核', approveSecond: '第二人复核并发放第一批', firstHow: '你确认看过预览。还需要另一个人在 2 分钟内用自己的账号复核，才会发出。', secondHow: (count: number, kind: string) => `发放第一批：先发给 1 个中心。整份指令共 ${count} 台网关，${kind}。请自己数一遍再写。`, password: '再输入一次密码', passwordMissing: '请输入自己的密码。', count: '网关总数', class_: '类别：写“演练”或“实战”', typedWrong: (count: number, of: string) => `不符：这份指令共 ${count} 台网关，类别是${of}。`, waitsSecond: (who: string, left: number) => `${who} 已复核。请另一个人用自己的账号登录，在 ${left} 秒内复核。`, firstLate: '前一个人的复核已超过 2 分钟，要重新开始。', yourself: '另一个人要用自己的账号复核。',
    release: (stage: number) => `发放第 ${stage} 批……`, releaseTitle: (stage: number, stages: number) => `发放第 ${stage} 批，共 ${stages} 批`, releaseHow: (count: number) => `这一批再发给 ${count} 台网关。前面各批的结果在下面：有没接受的，先查清再发。`, stages: { 1: '第 1 批：1 个中心', 2: '第 2 批：十分之一', 3: '第 3 批：全部' } as Record<string, string>, stageOf: (count: number) => `${count} 台`, stop: '停发', stopHint: '立刻停止发送；已接受的继续执行，要返回请发签名的取消指令', stopped: (who: string, when: string) => `${who} 停发 · ${when}`, releaseAct: '发放', approveAct: '复核', cancelBeside: '备好的取消', cancelHow: '取消也要签名：事先签好一份，放在这里，需要时一样复核、发放。',
    targets: '各中心', filter: '显示哪些', target: { waits: '等待发放', due: '发送中', silent: '未回应', offline: '无联系', answered: '已回应' }, results: { accepted: '已接受', refused: '没有接受', quarantined: '等两人核对', repeated: '早已执行', proposal: '只是预警', dropped: '没有处理' } as Record<string, string>, sent: (count: number, ago: string) => `发了 ${count} 次，最近 ${ago}`, answered: (ago: string) => `${ago}回应`, ramp: (stage: number) => `第 ${stage} 批`,
    phone: '未回应的中心：请打电话', phoneHow: '平台会一直重发，直到回应或过期。打过电话的勾掉：谁打的、什么时候，都记下来，其他人也看得到。', called: '打过了', calledBy: (who: string, ago: string) => `${who} ${ago}打过`, course: '经过', curves: { sent: '已发', answered: '已回应', ready: '已就绪', called: '打过电话' }, noPhone: '没有登记电话', report: '报告', csv: '报告 CSV', pdf: '报告 PDF', refused: (why: string) => `没有成功：${why}`, readonly: '这个账号只能看，不能发指令。',
  },
  aside: { title: '搁置的消息', none: '没有搁置的消息', noneHow: '收到的都存好了。', topic: '主题', bytes: (count: number) => `${count} 字节`, reasons: { not_enrolled: '没有登记', claims_another: '冒用别的网关的名字', not_json: '不是 JSON', unknown_topic: '不认识的主题', other_device: '设备和主题不符', no_number: '没有编号', no_time: '没有时间', no_name: '没有名字', zero_character: '含有零字符', too_long: '太长', too_many_names: '名字太多', refused_by_database: '数据库不收' } as Record<string, string>, how: '搁置的只保留开头 64 kB 和原因；编号读得出的算已收到，网关不会再发。' },
  record: {
    title: '审计记录', how: '谁在什么时候做了什么。每一条都含前一条的哈希，改动、移动、删掉任何一条都能查出来。', verify: '校验', verifying: '正在校验……', intact: (count: number) => `${count} 条记录完整`, broken: '记录被改动过', export: '导出', filter: '类别', kinds: { all: '全部', orders: '指令', accounts: '账号', centres: '网关', logins: '登录', refused: '被拒绝', exported: '导出' }, who: '谁、哪个中心、哪份指令', whoHow: '账号、中心、指令编号或地址', from: '从', to: '到', none: '没有符合的记录', noneHow: '换一个类别、名字或日期。', older: '更早的', number: (n: number) => `第 ${n} 条`, exported: (lines: number) => `导出 ${lines} 条记录`, nth: (of: 'person' | 'stage', n: number) => (of === 'person' ? `第${n === 1 ? '一' : '二'}人` : `第 ${n} 批`),
    events: { logged_in: '登录', logged_out: '退出', refused: '登录被拒绝', enrolled: '设置了自己的账号', centre_refused: '拒发证书' } as Record<string, string>, orders: { prepared: '准备指令', seen: '重新查看', approved: '批准', released: '发放', stopped: '停发', called: '打过电话', uncalled: '取消“打过电话”' } as Record<string, string>, accounts: { added: '添加账号', disabled: '停用账号', enabled: '恢复账号', reset: '重置账号' } as Record<string, string>, centres: { enrolled: '登记网关', changed: '修改网关', revoked: '撤销网关', code: '给登记码', certificate: '领取证书', renewed: '更新证书' } as Record<string, string>,
  },
  gateways: {
    title: '网关登记', add: '登记一台网关', how: '登记后得到一次性的登记码；在网关上运行显示的命令，它自己生成密钥并领取证书。', centre: '中心编号（facility.toml 的 centre）', gateway: '网关编号（gateway.toml 的 id）', name: '名称', phone: '电话', place: '位置：纬度, 经度', placeWrong: '位置请写成 31.2304, 121.4737。', empty: '请写中心编号和网关编号。', act: '登记', code: (of: string) => `在 ${of} 上运行。登记码 24 小时内有效，只用一次，只显示这一次：`, codeHow: '网关会先核对指纹，再发送登记码；指纹不符就不发。', noAuthority: '本平台没有配置网关证书机构（enrolment.authority），只能用口令连接。', filter: '状态', states: { revoked: '已撤销', certificate: '有证书', invited: '等网关登记', ended: '证书到期', expired: '登记码失效', no_certificate: '无证书' }, certificateUntil: (day: string) => `证书有效期至 ${day}，自动更新`, invitedUntil: (left: string) => `等网关登记，登记码${left}`, newCode: '新登记码', revoke: '撤销', revokeTitle: (name: string) => `撤销 ${name}`, revokeHow: '它的证书立即作废，连接断开，之后的消息都搁置。恢复要重新登记，领新的证书。',
  },
  accounts: {
    title: '账号', add: '加一个人', id: '账号（小写字母和数字）', name: '姓名', role: '角色', roles: { viewer: '查看', duty_officer: '值班', commander: '指挥', administrator: '管理' }, standing: { invited: '等本人设置', expired: '代码已过期', active: '可登录', disabled: '已停用' } as Record<string, string>, act: '要代码', empty: '请写账号和姓名，并选一个角色。', code: (id: string) => `${id} 的一次性代码，24 小时内有效，只显示这一次：`, reset: '重置，给新代码', disable: '停用', enable: '恢复', none: '还没有账号', how: '本人用一次性代码在登录页选“第一次登录”，自己设密码。', listLabel: '账号列表',
  },
  logIn: {
    title: '登录', first: '第一次登录', account: '账号', password: '密码', code: '验证器上的六位数字', oneTime: '一次性代码', newPassword: '新的密码（12 位以上）', act: '登录', setUp: '设置', toFirst: '第一次登录……', toLogIn: '已有密码，去登录', empty: '请先填完。', wrong: '账号、密码或数字不对，请再看一遍。', wait: (seconds: number) => `试得太多：请等 ${span(seconds)}。`, done: '设好了。把下面这串加进验证器应用，只显示这一次：', goOn: '去登录', why: '用账号、密码和验证器上的六位数字。', firstWhy: '用管理员给的一次性代码设自己的密码。',
  },
};

export type Words = typeof zh;
