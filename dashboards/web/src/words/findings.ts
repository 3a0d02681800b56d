/** Findings of the gateway in Chinese. They come in English, one sentence each; what no row knows stays as it came. */

/** What a finding looks like, and its words; `$1`, `$2` are parts of it. */
export const FINDINGS: [RegExp, string][] = [
  [/^store: writable$/, '存储：能写入'],
  [/^store: NOT writable$/, '存储：写不进去'],
  [/^store: the disk is full, .*$/, '存储：磁盘已满，最旧的记录让位给新的'],
  [/^store: the disk reports I\/O errors, .*$/, '存储：磁盘报读写错误，正在重试'],
  [/^store: (\d+) rows cannot be decoded and are kept aside$/, '存储：$1 行读不出，已单独保存'],
  [/^store: HUNG, its writer has made no progress for (\d+) s$/, '存储：卡住，已 $1 秒没有进展'],
  [/^store: FULL, new documents of these kinds are refused: (.*)$/, '存储：已满，这些种类不再收：$1'],
  [/^store: FULL as a whole, .*$/, '存储：全满，只收最紧急的'],
  [/^uplink: connected$/, '上传：已连接'],
  [/^uplink: connecting$/, '上传：正在连接'],
  [/^uplink: not configured$/, '上传：没有配置'],
  [/^uplink: disconnected \((.*)\)$/, '上传：没有连接（$1）'],
  [/^uplink certificate: ENDS in (-?\d+) days.*$/s, '区级平台证书：还有 $1 天到期，没能换新；办法见“区级平台证书”一栏'],
  [/^uplink certificate: HAS ENDED.*$/s, '区级平台证书：已到期；断线后连不上，请重新登记'],
  [/^uplink certificate: it is not renewed yet, (-?\d+) days are left.*$/s, '区级平台证书：还没换新，还有 $1 天'],
  [/^uplink certificate: cannot be read: .*$/s, '区级平台证书：读不出；请重新登记'],
  [/^uplink certificate: its validity has not begun.*$/, '区级平台证书：按本机时钟还没开始有效；查时钟'],
  [/^line (\S+): not attempted yet$/, '线路 $1：还没有试过'],
  [/^line (\S+): down$/, '线路 $1：断'],
  [/^configuration: the last good one runs, the one on disk is bad: (.*)$/s, '配置：正在用上一份正确的，磁盘上的有错：$1'],
  [/^insecure: (\S+.*?) is not encrypted: (.*)$/, '未加密：$1（$2）'],
  [/^tls: (.*)$/, '证书：$1'],
];
