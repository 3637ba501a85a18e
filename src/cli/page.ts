import { log } from '../base/log.ts';
import type { Settings } from '../config/settings.ts';
import type { Page } from '../page/page.ts';

/**
 * Opens the page when it is served or written, and says where it is.
 *
 * @throws UserError when it cannot be served there
 */
export async function openPage({ ui, traceUrl, format }: Settings): Promise<Page | undefined> {
  if (!ui && format !== 'html') {
    return undefined;
  }
  const { Page } = await import('../page/page.ts');
  const page = await Page.open({ ui, traceUrl });
  if (page.url !== undefined) {
    log('info', `The page is at ${page.url}`);
  }
  return page;
}
