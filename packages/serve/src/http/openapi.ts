// The OpenAPI document, from the schemas that requests are checked with.
import * as z from 'zod';
import type { Limits } from '../options.js';
import { imageSchema } from './schemas.js';

/** OpenAPI 3.1. */
export function openApiDocument(name: string, limits: Limits, version: string): Record<string, unknown> {
  const { $schema: _, ...request } = z.toJSONSchema(imageSchema(limits), { io: 'input', unrepresentable: 'any' });
  const properties = request.properties as Record<string, unknown>;
  const upload = { type: 'string', format: 'binary' };
  const edit = {
    ...request,
    properties: {
      ...properties,
      image: { ...upload, description: "A PNG of the model's size." },
      mask: { ...upload, description: 'A PNG, transparent (or white) where the image is drawn again.' },
    },
    required: ['image', 'prompt'],
  };
  const answer = (schema: string) => ({
    200: {
      description: 'Pictures; with stream: true, server-sent events.',
      content: { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` } }, 'text/event-stream': {} },
    },
    default: {
      description: 'An error.',
      content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
    },
  });
  const post = (summary: string, type: string, schema: string) => ({
    post: {
      summary,
      requestBody: { required: true, content: { [type]: { schema: { $ref: `#/components/schemas/${schema}` } } } },
      responses: answer('Images'),
    },
  });
  const get = (summary: string) => ({ get: { summary, responses: { 200: { description: summary } } } });
  return {
    openapi: '3.1.0',
    info: { title: `Paris: ${name}`, version, description: "OpenAI's images API, with more options at the top level." },
    paths: {
      '/v1/images/generations': post('Pictures for a prompt', 'application/json', 'ImageRequest'),
      '/v1/images/edits': post('Pictures from a picture', 'multipart/form-data', 'EditRequest'),
      '/v1/models': get('The served model'),
      '/v1/models/{model}': get('The same, with its size, experts, routing, words and licence'),
      '/health': get('Whether the server works, and what waits'),
    },
    components: {
      securitySchemes: { key: { type: 'http', scheme: 'bearer' } },
      schemas: { ImageRequest: request, EditRequest: edit, Images: images, Error: error },
    },
  };
}

const images = {
  type: 'object',
  properties: {
    created: { type: 'integer' },
    seed: { type: 'integer' },
    size: { type: 'string' },
    data: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          b64_json: { type: 'string' },
          url: { type: 'string' },
          picture: { type: 'integer' },
          routing: { type: 'array', items: { type: 'number' } },
          routing_by_step: { type: 'array', items: { type: 'array', items: { type: 'number' } } },
        },
      },
    },
  },
};

const error = {
  type: 'object',
  properties: {
    error: {
      type: 'object',
      properties: {
        message: { type: 'string' },
        type: { type: 'string' },
        param: { type: ['string', 'null'] },
        code: { type: 'string' },
      },
    },
  },
};
