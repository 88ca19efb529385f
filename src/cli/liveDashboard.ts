import type { Dashboard } from '../report/dashboard/dashboard.js';
import type { CommandContext } from './frame.js';

/**
 * Opens the live page that `--dashboard` asks for, and says where it is.
 * @param flag its value: a port, true for any, undefined for none
 */
export async function openDashboard(
  flag: number | true | undefined,
  title: string,
  context: CommandContext,
): Promise<Dashboard | undefined> {
  if (flag === undefined) return undefined;
  const { Dashboard } = await import('../report/dashboard/dashboard.js');
  const dashboard = await Dashboard.open({ title, port: flag === true ? undefined : flag });
  context.note(`dashboard: ${dashboard.url}`);
  return dashboard;
}
