// The listing of models, as clients of the OpenAI family ask for it.
// https://platform.openai.com/docs/api-reference/models

import { ClientError } from '../../canonical/client-error.ts';
import type { ListedModel, LocalOperation } from '../protocol.ts';

/** `GET /models` and `GET /models/{id}`. An unknown id is a ClientError `model_not_found`. */
export const openaiModels: LocalOperation = {
  path: '/models',
  methods: ['GET', 'HEAD'],
  takesId: true,
  answer({ id, models }) {
    const listed = models();
    if (id === undefined) return toAnswer({ object: 'list', data: listed.map(toWireModel) });
    const model = listed.find((candidate) => candidate.id === id);
    if (model === undefined) throw new ClientError('model_not_found');
    return toAnswer(toWireModel(model));
  },
};

function toAnswer(json: object): ReturnType<LocalOperation['answer']> {
  return { contentType: 'application/json', body: Buffer.from(JSON.stringify(json)) };
}

function toWireModel({ id, createdAt }: ListedModel): object {
  return { id, object: 'model', created: createdAt, owned_by: 'sluice' };
}
