// The frames that one stream keeps repeating. Few, and learned sparingly: learning one costs as much as parsing five.

import { FrameTemplate, type JudgeFrame } from './frame-template.ts';

/** As many shapes as streams mix: a few choices or tool calls side by side, reasoning before text. */
const templatesMax = 4;

/** Lessons without success after which a stream counts as one that varies in every frame. */
const lessonsMax = 8;

/** So many frames that were recognised earn another lesson. */
const matchesPerLesson = 32;

/** Recognises frames of one stream. */
export class KnownFrames {
  /** The most recently matched first. */
  readonly #templates: FrameTemplate[] = [];
  #lessons = lessonsMax;
  #matches = 0;

  /** The template that a frame matches, which says that it is content and nothing else. */
  match(frame: Buffer): FrameTemplate | undefined {
    const templates = this.#templates;
    for (let index = 0; index < templates.length; index++) {
      const template = templates[index]!;
      if (!template.matches(frame)) continue;
      templates[index] = templates[0]!;
      templates[0] = template;
      if (++this.#matches % matchesPerLesson === 0 && this.#lessons < lessonsMax) this.#lessons++;
      return template;
    }
    return undefined;
  }

  /** Keeps a frame of content that was not recognised. */
  learn(frame: Buffer, judge: JudgeFrame): void {
    if (this.#lessons === 0) return;
    this.#lessons--;
    const template = FrameTemplate.learn(frame, judge);
    if (template === undefined) return;
    if (this.#templates.length === templatesMax) this.#templates.pop();
    this.#templates.unshift(template);
  }
}
