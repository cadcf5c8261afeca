"""Any workbook against the rules of a good one."""
