// How much is tried where trying all of it takes minutes.

/** Whether all of it is: with PARIS_THOROUGH=1, as in CI. Otherwise about a third. */
export const thorough: boolean = Boolean(process.env.PARIS_THOROUGH);

/** Of moments that are tried one by one: from one to the next. */
export const stride: number = thorough ? 1 : 3;
