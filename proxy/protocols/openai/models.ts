// The listing of models, as clients of the OpenAI family ask for it.
// https://platform.openai.com/docs/api-reference/models

/** A model that a client may name. */
export interface ListedModel {
  readonly id: string;
  /** Unix seconds since when it is known. */
  readonly createdAt: number;
}

/** The answer to `GET /models`. */
export function encodeModelList(models: readonly ListedModel[]): Buffer {
  return Buffer.from(JSON.stringify({ object: 'list', data: models.map(toWireModel) }));
}

/** The answer to `GET /models/{id}`. An unknown id is a ClientError `model_not_found`. */
export function encodeModel(model: ListedModel): Buffer {
  return Buffer.from(JSON.stringify(toWireModel(model)));
}

function toWireModel({ id, createdAt }: ListedModel): object {
  return { id, object: 'model', created: createdAt, owned_by: 'sluice' };
}
