//! Chinese in simplified characters.

use super::{ModeTexts, Texts};

pub(super) const TEXTS: Texts = Texts {
    code: "zh",
    tag: "zh-Hans",
    offline: ModeTexts {
        title: "系统维护",
        heading: "我们很快回来",
        text: "网站正在维护，暂时无法访问。感谢您的耐心等待。",
    },
    read_only: ModeTexts {
        title: "只读模式",
        heading: "暂时无法修改",
        text: "您可以照常浏览，但维护期间无法修改或提交任何内容。",
    },
    pending: ModeTexts {
        title: "维护即将开始",
        heading: "维护即将开始",
        text: "已在站内的访客可以完成手头的操作，新的访问请在维护结束后再来。",
    },
    paused: ModeTexts {
        title: "请稍候",
        heading: "请稍候片刻",
        text: "我们正在进行短暂的更新，网站马上恢复。",
    },
    expected_end: "预计结束",
    overdue: "随时可能恢复",
    reloads: "本页面会自动检查，恢复后将自动刷新。",
    try_again: "重试",
    not_received: "您提交的内容未被接收。请返回上一页，稍后重新提交。",
    go_back: "返回上一页",
    returned: "网站已恢复。请返回上一页重新提交。",
};
