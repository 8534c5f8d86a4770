(() => {
  const page = document.querySelector("main"), sent = "sent" in page.dataset,
    time = page.querySelector("time"), left = page.querySelector("i"), live = page.querySelector(".live"),
    back = page.querySelector("button"), lang = document.documentElement.lang,
    end = time ? Date.parse(time.dateTime) : NaN;
  let wait = 15e3, timer, last = Date.now();

  function tell() {
    const date = new Date(end), today = date.toDateString() === new Date().toDateString();
    time.textContent = new Intl.DateTimeFormat(lang, today ? { timeStyle: "short" } : { dateStyle: "full", timeStyle: "short" }).format(date);
    const minutes = Math.ceil((end - Date.now()) / 6e4), day = 1440;
    left.textContent = minutes < 1 ? left.dataset.overdue : new Intl.RelativeTimeFormat(lang).format(
      ...(minutes < 100 ? [minutes, "minute"] : minutes < 2 * day ? [Math.round(minutes / 60), "hour"] : [Math.round(minutes / day), "day"]));
  }

  function plan() {
    clearTimeout(timer);
    if (document.hidden) return;
    let delay = wait * (0.75 + Math.random() / 2);
    if (end > Date.now()) delay = Math.min(delay, end - Date.now() + Math.random() * 1e4);
    timer = setTimeout(check, delay);
  }

  async function check() {
    last = Date.now();
    wait = Math.min(wait * 1.5, 12e4);
    try {
      const answer = await fetch(location.href, { method: "HEAD", cache: "no-store", redirect: "manual" });
      if (answer.type === "opaqueredirect" || (!answer.headers.has("x-maintenance") && answer.status < 500)) return open();
    } catch {}
    plan();
  }

  function open() {
    if (sent) live.textContent = live.dataset.returned;
    else location.reload();
  }

  if (end) { tell(); setInterval(tell, 15e3); }
  if (back) { back.hidden = false; back.onclick = () => history.back(); }
  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (!document.hidden) Date.now() - last > 1e4 ? check() : plan();
  });
  plan();
})();
