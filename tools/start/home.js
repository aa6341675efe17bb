'use strict';

const { root } = require('../runner/paths.js');

/** The folder whose `.dev-services/` keeps data, addresses and process ids: another one than the repository's where a second sample runs beside the first. */
const home = process.env.CORE_INFRA_START_HOME || root;

module.exports = { home };
