// Asks once more whether a request may leave, in the moment in which it is written to its connection. Whoever asks earlier
// asks too early: a connection may have to be made first, and a process may be stopped for any time in between.

import { DecoratorHandler, type Dispatcher } from 'undici';

/** A dispatcher that keeps what `refuse` gives an error for. */
export function guarded(dispatcher: Dispatcher, refuse: () => Error | undefined): Dispatcher {
  return dispatcher.compose((dispatch) => (options, handler) => dispatch(options, new LastMoment(handler, refuse)));
}

class LastMoment extends DecoratorHandler implements Dispatcher.DispatchHandler {
  readonly #handler: Dispatcher.DispatchHandler;
  readonly #refuse: () => Error | undefined;

  constructor(handler: Dispatcher.DispatchHandler, refuse: () => Error | undefined) {
    super(handler);
    this.#handler = handler;
    this.#refuse = refuse;
  }

  onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void {
    const refusal = this.#refuse();
    // What is thrown here fails the request, and nothing of it is written.
    if (refusal !== undefined) throw refusal;
    this.#handler.onRequestStart?.(controller, context);
  }
}
