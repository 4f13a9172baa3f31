// @vitest-environment happy-dom
// The heading of a view takes the focus while it appears, not after: who types already would lose what comes next.

import { render } from "preact";
import { afterEach, expect, it } from "vitest";

import { Title } from "../src/app/parts/index.js";

afterEach(() => render(null, document.body));

it("takes the focus before anything else can happen", () => {
  render(<Title>Here</Title>, document.body);
  expect(document.activeElement?.tagName).toBe("H1");
});
