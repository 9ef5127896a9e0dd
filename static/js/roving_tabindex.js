/* A row of buttons in which Tab reaches one button and the arrow keys reach the others. */

export function setRovingTabindex(row) {
  const buttons = () => [...row.querySelectorAll("button:not([hidden])")];
  const setStop = (stop) => {
    for (const button of buttons()) button.tabIndex = button === stop ? 0 : -1;
  };
  row.addEventListener("focusin", (event) => setStop(event.target));
  row.addEventListener("keydown", (event) => {
    const all = buttons();
    const index = all.indexOf(event.target);
    const isRightToLeft = getComputedStyle(row).direction === "rtl";
    const steps = { ArrowRight: isRightToLeft ? -1 : 1, ArrowLeft: isRightToLeft ? 1 : -1 };
    // NaN for all other keys.
    const target = { Home: 0, End: all.length - 1 }[event.key] ?? index + (steps[event.key] || NaN);
    if (index < 0 || Number.isNaN(target)) return;
    event.preventDefault();
    all[(target + all.length) % all.length].focus();
  });
  setStop(buttons()[0]);
}
