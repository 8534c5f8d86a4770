//! Japanese.

use super::{ModeTexts, Texts};

pub(super) const TEXTS: Texts = Texts {
    code: "ja",
    tag: "ja",
    offline: ModeTexts {
        title: "メンテナンス中",
        heading: "まもなく再開いたします",
        text: "ただいまメンテナンスのため、サービスを一時停止しております。ご不便をおかけいたしますが、今しばらくお待ちください。",
    },
    read_only: ModeTexts {
        title: "閲覧のみ可能です",
        heading: "現在、変更や送信はできません",
        text: "閲覧は通常どおりご利用いただけますが、メンテナンス中は変更や送信を受け付けておりません。",
    },
    pending: ModeTexts {
        title: "まもなくメンテナンスを開始します",
        heading: "まもなくメンテナンスを開始いたします",
        text: "すでにご利用中の方は、作業を最後まで続けていただけます。新しいご利用は、メンテナンス終了後にお願いいたします。",
    },
    paused: ModeTexts {
        title: "少々お待ちください",
        heading: "少々お待ちください",
        text: "ただいま短時間の更新作業を行っております。まもなく再開いたします。",
    },
    expected_end: "終了予定",
    overdue: "まもなく",
    reloads: "このページは自動で確認を行い、再開しだい読み込み直します。",
    try_again: "再読み込み",
    not_received: "送信された内容は受け付けられておりません。前のページに戻り、後ほどもう一度送信してください。",
    go_back: "前のページに戻る",
    returned: "再開いたしました。前のページに戻り、もう一度送信してください。",
};
