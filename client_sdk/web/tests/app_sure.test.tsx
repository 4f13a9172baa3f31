// @vitest-environment happy-dom
// A question before something goes: a press that follows at once is no yes, nor is a key that is held.
import { act, cleanup, fireEvent, render, screen } from "@testing-library/preact";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import words from "../locales/fr.json";
import site from "../../../server/help/locales/fr.json";
import { speakWords } from "../src/app/i18n.js";
import { Button, Sure } from "../src/app/parts/index.js";
import { QUIET } from "../src/app/parts/sure.js";

let said: string[] = [];
let fails = false;
const button = (name: string): HTMLElement => screen.getByRole("button", { name });
const press = (name: string): Promise<void> => act(async () => void fireEvent.click(button(name)));
const pass = (ms: number): Promise<void> => act(async () => void vi.advanceTimersByTime(ms));

beforeEach(async () => {
  speakWords("fr", { ...words, site } as never);
  [said, fails] = [[], false];
  vi.useFakeTimers();
  const onYes = async (): Promise<void> => {
    said.push("yes");
    if (fails) throw { code: "network" };
  };
  render(
    <Sure title="?" leave="No" yes="Yes" more={<Button plain>Else</Button>} onLeave={() => said.push("no")} onYes={onYes}>
      <p>It goes.</p>
    </Sure>,
  );
  await pass(0); // the effects have run
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

test("a yes is taken once nobody has pressed anything for a moment", async () => {
  for (const name of ["Yes", "Yes", "Else"]) {
    await pass(QUIET - 50);
    expect(button("Yes").getAttribute("aria-disabled")).toBe("true");
    await press(name);
  }
  expect(said).toEqual([]);
  await pass(QUIET);
  expect(button("Yes").getAttribute("aria-disabled")).toBe("false");
  await press("Yes");
  expect(said).toEqual(["yes"]);
});

test("a no is taken at once", async () => {
  await press("No");
  expect(said).toEqual(["no"]);
});

test("what it could not do it says, and can be told again", async () => {
  await pass(QUIET);
  fails = true;
  await press("Yes");
  expect(screen.getByRole("alert").textContent).toBe(words.problem.network);
  await press("Yes");
  expect(said).toEqual(["yes", "yes"]);
});

test("a key that is held presses a button once", () => {
  const pressedBy = (repeat: boolean): boolean => fireEvent.keyDown(button("No"), { key: "Enter", repeat });
  expect([pressedBy(false), pressedBy(true)]).toEqual([true, false]); // false: the browser makes no click of it
  expect(fireEvent.keyDown(button("No"), { key: "Tab", repeat: true })).toBe(true);
});
