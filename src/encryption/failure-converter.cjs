// Messages of failures may quote what was said: they are encoded like a payload. CommonJS, because Temporal's worker requires it by path.
const { DefaultFailureConverter } = require('@temporalio/common');

exports.failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
