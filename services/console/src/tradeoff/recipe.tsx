// What to put into the policy. The page itself changes nothing.

import { useState } from "preact/hooks";
import type { Tradeoff } from "./data";

export interface Risks {
  wrong_removals: number;
  missed: number;
}

function lines(told: Tradeoff, risks: Risks): string {
  const { wrong_removals: wrong, missed } = risks;
  return [
    "# into the policy:",
    "categories:",
    `  ${told.category}:`,
    `    risks: {wrong_removals: ${wrong}, missed: ${missed}, confidence: ${told.confidence}}`,
    "",
    "# certify, look at what changes, release:",
    `sluicegate policy tune --category ${told.category} \\`,
    `  --max-wrong-removals ${wrong} --max-missed ${missed} --confidence ${told.confidence}`,
    "sluicegate policy diff policy.yaml",
    'sluicegate policy release policy.yaml --reason "why"',
  ].join("\n");
}

export function Recipe({ told, risks }: { told: Tradeoff; risks: Risks }) {
  const [copied, setCopied] = useState("");
  const text = lines(told, risks);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied("Copied.");
    } catch {
      setCopied("Not copied: mark it and copy it yourself.");
    }
  };
  return (
    <section class="card recipe" aria-labelledby="recipe">
      <header>
        <h2 id="recipe">To make it so</h2>
        <span role="status" class="faint">
          {copied}
        </span>
        <button type="button" onClick={copy}>
          Copy
        </button>
      </header>
      <pre tabIndex={0} aria-labelledby="recipe">{text}</pre>
      <p class="faint">
        Nothing changes until a policy is released. The confidence is that of one pair of risks: decide which you can accept, not
        which happens to look best here.
      </p>
    </section>
  );
}
