// RoundRobin and Weighted: smooth weighted round robin. Each turn everyone gains its weight, the richest is chosen and
// pays the sum. Equal weights give plain round robin. https://nginx.org/en/docs/http/ngx_http_upstream_module.html#upstream

import { at } from './least.ts';
import { forgetSome } from './memory.ts';
import type { Choice, Picker } from './picker.ts';

/**
 * Makes the picker. Whoever is new begins with the credit that `begin` gives, from 0 to below 1: with chance, each process
 * goes round in an order of its own, and a fleet does not find out together, each for itself, what is wrong with the first.
 */
export function createTurns(weightOf: (choice: Choice) => number, begin: () => number = () => 0): Picker {
  const accounts = new Map<string, { credit: number }>();
  const accountOf = (id: string): { credit: number } => {
    let account = accounts.get(id);
    if (account === undefined) accounts.set(id, (account = { credit: begin() }));
    return account;
  };
  return {
    pick(eligible) {
      // A weight of 0 is a spare: it has its turn only where nobody has more.
      const isSpare = eligible.every((choice) => weightOf(choice) === 0);
      let total = 0;
      let richest = at(eligible, 0);
      let payer = accountOf(richest.id);
      let most = -Infinity;
      for (const choice of eligible) {
        const weight = isSpare ? 1 : weightOf(choice);
        if (weight === 0) continue;
        const account = accountOf(choice.id);
        account.credit += weight;
        total += weight;
        if (account.credit > most) {
          most = account.credit;
          richest = choice;
          payer = account;
        }
      }
      payer.credit -= total;
      forgetSome(accounts);
      return richest;
    },
  };
}
