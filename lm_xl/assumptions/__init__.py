"""From the tables of a workbook to frozen, validated numbers, or to every fault of theirs."""
