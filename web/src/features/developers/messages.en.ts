/** Texts of the API reference. */
export const messages = {
  developers: {
    title: 'API reference',
    text: 'The REST API of this box, as it describes itself',
    search: 'Search paths and words',
    download: 'OpenAPI 3.1 file',
    none: 'Nothing fits the search',
    auth: 'Send an API key as “Authorization: Bearer …”. Errors come as problem+json with a code, what happened, and a hint.',
    parameters: 'Parameters',
    body: 'Body',
    answer: 'Answer',
    noBody: 'No content',
    needs: 'Needs {permission}',
    open: 'Open to anyone',
    signedIn: 'Anyone signed in',
    idempotent: 'Takes an Idempotency-Key: repeating it is safe.',
    required: 'required',
    where: { path: 'in the path', query: 'in the query', header: 'header', cookie: 'cookie' },
    groups: 'Groups',
    example: 'Example',
  },
};
