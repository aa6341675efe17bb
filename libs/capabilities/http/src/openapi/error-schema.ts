const text = { type: 'string' };

/** The two formats of an error, for the document's components. */
export const errorComponents = {
  ErrorResponse: {
    type: 'object',
    required: ['success', 'error', 'error_code', 'details'],
    properties: {
      success: { type: 'boolean', enum: [false] },
      error: { ...text, description: 'What is wrong, for people', example: 'Resource not found' },
      error_code: { ...text, description: 'What is wrong, for programs; stable', example: 'NOT_FOUND' },
      details: {
        type: 'object',
        required: ['request_id'],
        properties: {
          request_id: text,
          field_errors: {
            type: 'object',
            additionalProperties: text,
            description: 'By path, with VALIDATION_ERROR',
            example: { 'lines[0].quantity': 'must be a positive integer' },
          },
        },
        additionalProperties: true,
      },
    },
  },
  ProblemDetails: {
    type: 'object',
    description: 'RFC 9457',
    required: ['type', 'title', 'status', 'detail', 'error_code', 'request_id'],
    properties: {
      type: { ...text, example: 'about:blank' },
      title: { ...text, example: 'Not Found' },
      status: { type: 'integer', example: 404 },
      detail: { ...text, example: 'Resource not found' },
      instance: text,
      error_code: { ...text, example: 'NOT_FOUND' },
      request_id: text,
    },
    additionalProperties: true,
  },
};

export const errorContent = {
  'application/json': { schema: { $ref: '#/components/schemas/ErrorResponse' } },
  'application/problem+json': { schema: { $ref: '#/components/schemas/ProblemDetails' } },
};
