/** Every text of the page, in both languages. */
export const words = {
  zh: {
    title: '邻里 · 区级平台', overview: '总览', alarms: '报警', orders: '批量指令', aside: '搁置的消息', other: 'English',
    centres: '个中心', offline: '离线', online: '在线', search: '查找中心', all: '全部', abnormal: '只看异常', none: '没有符合的内容', loading: '正在读取…',
    cut: '与服务器的连接中断，页面会自动重新连接。下面的数据停在', never: '从未收到', ago: '前', seconds: '秒', minutes: '分钟', hours: '小时', days: '天',
    mode: '模式', kiosks: '终端', food: '食品设备', complete: '数据完整', missing: '缺 {n} 条', lost: '丢失 {n} 条', doubled: '两台网关用同一个名字',
    device: '设备', point: '测点', value: '数值', at: '时间', room: '房间', stage: '阶段', priority: '级别', text: '内容', centre: '中心', gateway: '网关', state: '状态',
    vitals: '今日健康测量（只计次数）', gaps: '缺口', back: '返回总览', trend: '最近 24 小时', topic: '主题', reason: '原因', kind: '种类', number: '编号',
    drill: '演练', actual: '实战', sent: '已发', accepted: '已接受', refused: '未接受', silent: '未回应', phone: '电话', expires: '失效', phoneList: '未回应的中心：请打电话',
    high: '★★★ 高', medium: '★★ 中', low: '★ 低', fault: '读取失败，稍后自动再试', waits: '等待放行', due: '待发送', answered: '已回应',
    peace: '平时', preview: '预览', notice: '预告', clearing: '清场', acting: '准备', checking: '验证', ready: '就绪', degraded: '降级就绪', proving: '返回验证', held: '已停止',
  },
  en: {
    title: 'linli · District', overview: 'Overview', alarms: 'Alarms', orders: 'Mass orders', aside: 'Put aside', other: '中文',
    centres: 'centres', offline: 'offline', online: 'online', search: 'Find a centre', all: 'All', abnormal: 'Abnormal only', none: 'Nothing here', loading: 'Reading…',
    cut: 'The server does not answer; this page connects again by itself. What is shown is of', never: 'never heard', ago: 'ago', seconds: 's', minutes: 'min', hours: 'h', days: 'd',
    mode: 'Mode', kiosks: 'Kiosks', food: 'Food devices', complete: 'Data complete', missing: '{n} missing', lost: '{n} lost', doubled: 'two gateways use one name',
    device: 'Device', point: 'Point', value: 'Value', at: 'Time', room: 'Room', stage: 'Stage', priority: 'Priority', text: 'Text', centre: 'Centre', gateway: 'Gateway', state: 'State',
    vitals: 'Measurements of vital signs today (number only)', gaps: 'Gaps', back: 'Back to the overview', trend: 'Last 24 hours', topic: 'Topic', reason: 'Reason', kind: 'Kind', number: 'Number',
    drill: 'DRILL', actual: 'ACTUAL', sent: 'Sent', accepted: 'Accepted', refused: 'Not accepted', silent: 'Silent', phone: 'Telephone', expires: 'Expires', phoneList: 'Silent centres: ring them',
    high: '*** high', medium: '** medium', low: '* low', fault: 'Reading failed; it is tried again', waits: 'waits for release', due: 'to be sent', answered: 'answered',
    peace: 'peace', preview: 'preview', notice: 'notice', clearing: 'clearing', acting: 'acting', checking: 'checking', ready: 'ready', degraded: 'ready, degraded', proving: 'proving', held: 'held',
  },
};
